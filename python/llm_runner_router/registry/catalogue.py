"""What can be done with registered models: the store and the memory taken together."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from llm_runner_router.errors import (
    InvalidRequestError,
    ModelBusyError,
    ResourceNotFoundError,
    shorten,
)
from llm_runner_router.registry.alias_checks import checked_alias
from llm_runner_router.registry.checks import changed, checked_record
from llm_runner_router.registry.records import (
    Alias,
    LoadProgress,
    ModelPage,
    ModelRecord,
    ModelView,
    PromptTemplate,
)
from llm_runner_router.registry.residency import Residency
from llm_runner_router.registry.sources.file import absolute_path
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.registry.template_checks import checked_template
from llm_runner_router.types import ModelFormat
from llm_runner_router.validation import check_count

T = TypeVar("T")

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000


class Catalogue:
    """Belongs to one event loop. Relative sources are stored as paths under ``folder``."""

    def __init__(self, store: RegistryStore, residency: Residency, folder: Path) -> None:
        self._store = store
        self._residency = residency
        self._folder = folder

    async def register(self, record: ModelRecord) -> ModelView:
        """Add a model. Its file is looked at when it is first loaded."""
        return self._view(await self._store.add(self._anchored(checked_record(record))))

    async def unregister(self, model: str) -> None:
        """Forget a model and unload it, also if the caller leaves meanwhile.

        ModelBusyError while requests run on it.
        """
        self._store.get(model)
        if self._residency.busy(model):
            raise ModelBusyError(f"model {shorten(model)} is answering requests")
        await asyncio.shield(asyncio.ensure_future(self._unregister(model)))

    async def _unregister(self, model: str) -> None:
        await self._store.remove(model)
        await self._residency.unload(model)
        self._residency.forget(model)

    async def update(self, record: ModelRecord, paths: Sequence[str]) -> ModelView:
        """Change the named fields.

        A loaded file keeps its source, context and GPU layers; what is behind an API is asked as
        the record now says from the next request on.
        """

        def change(present: ModelRecord) -> ModelRecord:
            return self._anchored(changed(present, record, paths))

        return self._view(await self._store.update(record.id, change, record.etag))

    def get(self, model: str) -> ModelView:
        """One model."""
        return self._view(self._store.get(model))

    def page(self, page_size: int, page_token: str) -> ModelPage:
        """Models in the order of their ids."""
        check_count("page_size", page_size, 0, 2**32 - 1)
        size = min(page_size or PAGE_SIZE, MAX_PAGE_SIZE)
        records = self._store.page(decoded(page_token), size + 1)
        more = len(records) > size
        views = [self._view(record) for record in records[:size]]
        return ModelPage(views, encoded(views[-1].record.id) if more else "")

    async def load(
        self, model: str, on_progress: Callable[[LoadProgress], None] | None
    ) -> ModelView:
        """Bring a model into memory."""
        await self._residency.load(model, on_progress)
        return self.get(model)

    async def unload(self, model: str) -> None:
        """Take a model out of memory once its requests are done."""
        self._store.get(model)
        await self._residency.unload(model)

    def ids(self) -> Sequence[str]:
        """All registered models."""
        return [record.id for record in self._store.page("", len(self._store))]

    async def set_alias(self, alias: Alias) -> Alias:
        """Add an alias or replace it. See RegistryStore.set_alias."""
        return await self._store.set_alias(checked_alias(alias))

    def alias(self, name: str) -> Alias:
        """One alias; ResourceNotFoundError where there is none."""
        return found(self._store.alias(name), "alias", name)

    def aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        return self._store.aliases()

    async def remove_alias(self, name: str) -> None:
        """Forget an alias. The models behind it stay."""
        await self._store.remove_alias(name)

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        """Add a template or replace it. See RegistryStore.set_template."""
        return await self._store.set_template(checked_template(template))

    def template(self, name: str) -> PromptTemplate:
        """One template; ResourceNotFoundError where there is none."""
        return found(self._store.template(name), "template", name)

    def templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        return self._store.templates()

    async def remove_template(self, name: str) -> None:
        """Forget a template."""
        await self._store.remove_template(name)

    def _anchored(self, record: ModelRecord) -> ModelRecord:
        if record.format is not ModelFormat.GGUF:
            return record
        return replace(record, source=str(absolute_path(record.source, self._folder)))

    def _view(self, record: ModelRecord) -> ModelView:
        loaded = self._residency.loaded(record.id)
        return ModelView(record, loaded, self._residency.details(record.id))


def found(resource: T | None, word: str, name: str) -> T:
    """What was looked for, or ResourceNotFoundError."""
    if resource is None:
        raise ResourceNotFoundError(word, name)
    return resource


def encoded(model: str) -> str:
    """A page token: the last id of the page."""
    return base64.urlsafe_b64encode(model.encode()).decode()


def decoded(page_token: str) -> str:
    """The id behind which the page begins."""
    try:
        return base64.b64decode(page_token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        allowed = "the next_page_token of the page before, or nothing"
        raise InvalidRequestError("page_token", page_token, allowed) from None
