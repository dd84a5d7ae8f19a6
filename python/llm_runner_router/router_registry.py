"""The keeping half of LLMRouter: models, aliases and templates."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Unpack

from llm_runner_router.backend import Backend, ProgressListener, PullListener
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.model_mappings import record_of_mapping
from llm_runner_router.preferences import Strategy
from llm_runner_router.record_fields import ModelFields, Targets, rules_of, targets_of
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    ImportReport,
    ModelPage,
    ModelQuery,
    ModelRecord,
    ModelView,
    PromptTemplate,
    RegistryChange,
)
from llm_runner_router.request_values import word


class RegistryFace(ABC):
    """What a Backend keeps, by methods that take plain values. Methods raise RouterError."""

    @abstractmethod
    async def _opened(self) -> Backend:
        """The backend, ready for use."""

    async def register_model(
        self,
        model: str | ModelRecord | Mapping[str, Any],
        source: str | os.PathLike[str] | None = None,
        **values: Unpack[ModelFields],
    ) -> ModelView:
        """Add a model: a record, or an id with the source of its weights and further fields.

        A mapping of all of that will do too, as it stands in a registry file. With a ``provider``
        the source is the model's name there, its id where none is given.
        """
        if isinstance(model, ModelRecord):
            check_alone(source, values)
            record = model
        else:
            said = {"id": model} if isinstance(model, str) else model
            record = record_of_mapping(said, source, values)
        return await (await self._opened()).register_model(record)

    async def unregister_model(self, model: str) -> None:
        """Forget a model and unload it; its file stays."""
        check_named("model", model)
        await (await self._opened()).unregister_model(model)

    async def update_model(self, record: ModelRecord, fields: Sequence[str]) -> ModelView:
        """Change the named fields (paths such as ``name`` or ``config.temperature``)."""
        return await (await self._opened()).update_model(record, fields)

    async def get_model(self, model: str) -> ModelView:
        """One model."""
        check_named("model", model)
        return await (await self._opened()).get_model(model)

    async def list_models(self, where: str = "", *, order_by: str = "") -> Sequence[ModelView]:
        """All models that the filter ``where`` lets through, by id unless ``order_by`` is given.

        Both are explained in ``registry.proto``: ``tags : chat AND NOT owner = alice``.
        """
        backend = await self._opened()
        page = await backend.list_models(ModelQuery(where, order_by))
        models = list(page.models)
        while page.next_page_token:
            page = await backend.list_models(
                ModelQuery(where, order_by, page_token=page.next_page_token)
            )
            models += page.models
        return models

    async def list_model_page(
        self, where: str = "", *, order_by: str = "", page_size: int = 0, page_token: str = ""
    ) -> ModelPage:
        """Some models, as of ``list_models``."""
        query = ModelQuery(where, order_by, page_size, page_token)
        return await (await self._opened()).list_models(query)

    async def watch_models(self, resume_token: str = "") -> AsyncGenerator[RegistryChange, None]:
        """Every change of models and aliases, also those that other processes make.

        Without a token it begins with everything there is. Close it when done.
        """
        backend = await self._opened()
        async with aclosing(backend.watch_models(resume_token)) as changes:
            async for change in changes:
                yield change

    async def pull_model(
        self, source: str, model: str = "", on_progress: PullListener | None = None
    ) -> ModelView:
        """Download a model (``hf://…``, ``ollama://…``, ``https://…``) and register it.

        An empty source downloads that of the registered ``model``.
        """
        return await (await self._opened()).pull_model(source, model, on_progress)

    async def import_registry(self, document: bytes, *, replace: bool = False) -> ImportReport:
        """Add the models and templates of a registry file (1.2.0), all or none.

        With ``replace`` they take the place of others with the same ids.
        """
        return await (await self._opened()).import_registry(document, replace=replace)

    async def export_registry(self) -> bytes:
        """All models and templates as a registry file (1.2.0)."""
        return await (await self._opened()).export_registry()

    async def load_model(
        self, model: str, on_progress: ProgressListener | None = None
    ) -> ModelView:
        """Bring a model into memory."""
        check_named("model", model)
        return await (await self._opened()).load_model(model, on_progress)

    async def unload_model(self, model: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Take a model out of memory once its running requests are done.

        Those that still run after ``timeout`` seconds fail with UnavailableError.
        """
        check_named("model", model)
        await (await self._opened()).unload_model(model, timeout)

    async def set_alias(
        self,
        alias: str | Alias,
        targets: Targets = (),
        *,
        strategy: Strategy | str | None = None,
        fallbacks: Sequence[str] = (),
        rules: Sequence[AliasRule | Mapping[str, Any]] = (),
    ) -> Alias:
        """Create an alias, or replace it: the whole of it, or its id with the models behind it."""
        if isinstance(alias, Alias):
            return await (await self._opened()).set_alias(alias)
        made = Alias(
            id=alias,
            targets=targets_of(targets),
            strategy=None if strategy is None else word(Strategy)(strategy, "strategy"),
            fallbacks=fallbacks,
            rules=rules_of(rules),
        )
        return await (await self._opened()).set_alias(made)

    async def get_alias(self, alias: str) -> Alias:
        """One alias."""
        check_named("alias", alias)
        return await (await self._opened()).get_alias(alias)

    async def list_aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        return await (await self._opened()).list_aliases()

    async def delete_alias(self, alias: str) -> None:
        """Forget an alias; its models stay."""
        check_named("alias", alias)
        await (await self._opened()).delete_alias(alias)

    async def set_template(
        self,
        template: str | PromptTemplate,
        prompt: str = "",
        *,
        name: str = "",
        stop_tokens: Sequence[str] = (),
        model_compatibility: Sequence[str] = (),
    ) -> PromptTemplate:
        """Create a template, or replace it: the whole of it, or its id with its prompt."""
        if isinstance(template, PromptTemplate):
            return await (await self._opened()).set_template(template)
        made = PromptTemplate(template, prompt, name, stop_tokens, model_compatibility)
        return await (await self._opened()).set_template(made)

    async def get_template(self, template: str) -> PromptTemplate:
        """One template."""
        check_named("template", template)
        return await (await self._opened()).get_template(template)

    async def list_templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        return await (await self._opened()).list_templates()

    async def delete_template(self, template: str) -> None:
        """Forget a template."""
        check_named("template", template)
        await (await self._opened()).delete_template(template)


def check_named(field: str, name: object) -> None:
    """What is asked for by its id; whether there is one of that id is told where they are kept."""
    if not isinstance(name, str) or not name:
        raise InvalidRequestError(field, name, "an id, as text")


def check_alone(source: object, values: Mapping[str, Any]) -> None:
    """A record says everything itself."""
    for name, value in {"source": source, **values}.items():
        if value is not None:
            raise InvalidRequestError.unknown(name, "nothing beside a ModelRecord, which has it")
