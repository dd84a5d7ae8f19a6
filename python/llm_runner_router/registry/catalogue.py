"""What can be done with registered models: the store and the memory taken together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from llm_runner_router.errors import (
    InvalidRequestError,
    ModelBusyError,
    ModelNotFoundError,
    ResourceNotFoundError,
    RouterError,
    shorten,
)
from llm_runner_router.registry.changes.watch import Watch
from llm_runner_router.registry.checks.alias import checked_alias
from llm_runner_router.registry.checks.chat_template import FIELD as CHAT_TEMPLATE
from llm_runner_router.registry.checks.chat_template import check_chat_template
from llm_runner_router.registry.checks.model import changed, checked_record
from llm_runner_router.registry.checks.template import checked_template
from llm_runner_router.registry.listing.pages import model_page
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.puller import Puller
from llm_runner_router.registry.records import (
    Alias,
    ImportMode,
    ImportReport,
    LoadProgress,
    MemoryEstimate,
    ModelPage,
    ModelPerformance,
    ModelQuery,
    ModelRecord,
    ModelView,
    PromptTemplate,
    PullProgress,
    RegistryChange,
)
from llm_runner_router.registry.registry_file import Extras, exported, parsed
from llm_runner_router.registry.store import RegistryStore

T = TypeVar("T")
R = TypeVar("R", ModelRecord, PromptTemplate)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What others know of models: what loading one would take, and how it has done."""

    estimate: Callable[[ModelRecord], Awaitable[MemoryEstimate | None]]
    performance: Callable[[str], ModelPerformance]


class Catalogue:
    """Belongs to one event loop."""

    def __init__(
        self, store: RegistryStore, residency: Residency, puller: Puller, knowledge: Knowledge
    ) -> None:
        self._store = store
        self._residency = residency
        self._puller = puller
        self._knowledge = knowledge
        self._watch = Watch(store, self._view)

    async def register(self, record: ModelRecord) -> ModelView:
        """Add a model. Its file is looked at when it is first loaded."""
        anchored = self._checked(record)
        await check_chat_template(anchored)
        return self._view(await self._store.add(await self._puller.completed(anchored)))

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
            return self._puller.anchored(changed(present, record, paths))

        if not {"config", CHAT_TEMPLATE}.isdisjoint(paths):
            await check_chat_template(record)
        return self._view(await self._store.update(record.id, change, record.etag))

    async def get(self, model: str) -> ModelView:
        """One model, or the highest version of it, with what it would take in memory."""
        record = self._store.resolve(model)
        if record is None or (record.id != model and self._store.alias(model) is not None):
            raise ModelNotFoundError(model)
        return replace(self._view(record), memory=await self._memory(record))

    def page(self, query: ModelQuery) -> ModelPage:
        """Models by filter and order; see ``listing.pages``."""
        return model_page(query, map(self._view, self._store.models()))

    def watch(self, resume_token: str) -> AsyncGenerator[RegistryChange, None]:
        """See ``Watch.changes``."""
        return self._watch.changes(resume_token)

    async def pull(
        self, source: str, model: str, on_progress: Callable[[PullProgress], None] | None
    ) -> ModelView:
        """Bring a model to this machine and register it; see ``Puller.pull``."""
        return await self.get(await self._puller.pull(source, model, on_progress))

    async def import_document(self, document: bytes, mode: ImportMode) -> ImportReport:
        """Add what a registry file holds, all or nothing."""
        content = await asyncio.to_thread(parsed, document)
        models = checked_all("models", content.models, self._checked)
        templates = checked_all("templates", content.templates, checked_template)
        for number, model in enumerate(models):
            await check_chat_template(model, f"models[{number}].")
        extras = with_sources(content.extras, content.models, models)
        return await self._store.import_all(models, templates, extras, mode=mode)

    def export_document(self) -> bytes:
        """All models and templates as a registry file."""
        extras = self._store.extras()
        views = [self._view(self._as_imported(record, extras)) for record in self._store.models()]
        return exported(views, self._store.templates(), extras)

    async def load(
        self, model: str, on_progress: Callable[[LoadProgress], None] | None
    ) -> ModelView:
        """Bring a model into memory."""
        await self._residency.load(model, on_progress)
        return await self.get(model)

    async def unload(self, model: str, timeout: float | None) -> None:  # noqa: ASYNC109
        """Take a model out of memory once its requests are done, or ``timeout`` is over."""
        self._store.get(model)
        await self._residency.unload(model, timeout)

    def ids(self) -> Sequence[str]:
        """All registered models."""
        return [record.id for record in self._store.models()]

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

    def _checked(self, record: ModelRecord) -> ModelRecord:
        return self._puller.anchored(checked_record(record))

    def _as_imported(self, record: ModelRecord, extras: Extras) -> ModelRecord:
        """``record`` with its path as a file has said it, as long as it means the same."""
        said = extras.get(("model", record.id), {}).get("source")
        if not isinstance(said, str) or not said:
            return record
        imported = replace(record, source=said)
        return imported if self._puller.anchored(imported) == record else record

    async def _memory(self, record: ModelRecord) -> MemoryEstimate | None:
        """What loading it would take; ``None`` where that cannot be told now."""
        try:
            return await self._knowledge.estimate(record)
        except RouterError:
            return None

    def _view(self, record: ModelRecord) -> ModelView:
        performance = replace(
            self._knowledge.performance(record.id), memory_bytes=self._residency.bytes(record.id)
        )
        loaded = self._residency.loaded(record.id)
        details = self._residency.details(record.id)
        return ModelView(record, loaded, details, performance=performance)


def checked_all(where: str, records: Sequence[R], check: Callable[[R], R]) -> Sequence[R]:
    """``records`` as ``check`` makes them; its errors say which one they are about."""
    result = []
    for number, record in enumerate(records):
        try:
            result.append(check(record))
        except InvalidRequestError as error:
            field = f"{where}[{number}].{error.field}"
            raise InvalidRequestError(field, error.value, error.allowed) from None
    return result


def with_sources(
    extras: Extras, before: Sequence[ModelRecord], after: Sequence[ModelRecord]
) -> Extras:
    """``extras`` with the paths that were made absolute, as the file has said them."""
    result = dict(extras)
    for written, kept in zip(before, after, strict=True):
        if written.source != kept.source:
            key = ("model", kept.id)
            result[key] = {**extras.get(key, {}), "source": written.source}
    return result


def found(resource: T | None, word: str, name: str) -> T:
    """What was looked for, or ResourceNotFoundError."""
    if resource is None:
        raise ResourceNotFoundError(word, name)
    return resource
