"""The keeping half of LLMRouter: models, aliases and templates."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Unpack

from llm_runner_router.backend import Backend, ProgressListener
from llm_runner_router.preferences import Strategy
from llm_runner_router.record_fields import ModelFields, Targets, record_of, rules_of, targets_of
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    ModelPage,
    ModelRecord,
    ModelView,
    PromptTemplate,
)
from llm_runner_router.request_values import word


class RegistryFace(ABC):
    """What a Backend keeps, by methods that take plain values. Methods raise RouterError."""

    @abstractmethod
    async def _opened(self) -> Backend:
        """The backend, ready for use."""

    async def register_model(
        self,
        model: str | ModelRecord,
        source: str | os.PathLike[str] | None = None,
        **values: Unpack[ModelFields],
    ) -> ModelView:
        """Add a model: a record, or an id with the source of its weights and further fields.

        With a ``provider`` the source is the model's name there, its id where none is given.
        """
        record = model if isinstance(model, ModelRecord) else record_of(model, source, values)
        return await (await self._opened()).register_model(record)

    async def unregister_model(self, model: str) -> None:
        """Forget a model and unload it; its file stays."""
        await (await self._opened()).unregister_model(model)

    async def update_model(self, record: ModelRecord, fields: Sequence[str]) -> ModelView:
        """Change the named fields (paths such as ``name`` or ``config.temperature``)."""
        return await (await self._opened()).update_model(record, fields)

    async def get_model(self, model: str) -> ModelView:
        """One model."""
        return await (await self._opened()).get_model(model)

    async def list_models(self) -> Sequence[ModelView]:
        """All models in the order of their ids."""
        backend = await self._opened()
        page = await backend.list_models()
        models = list(page.models)
        while page.next_page_token:
            page = await backend.list_models(page_token=page.next_page_token)
            models += page.models
        return models

    async def list_model_page(self, *, page_size: int = 0, page_token: str = "") -> ModelPage:
        """Some models in the order of their ids."""
        return await (await self._opened()).list_models(page_size=page_size, page_token=page_token)

    async def load_model(
        self, model: str, on_progress: ProgressListener | None = None
    ) -> ModelView:
        """Bring a model into memory."""
        return await (await self._opened()).load_model(model, on_progress)

    async def unload_model(self, model: str) -> None:
        """Take a model out of memory once its running requests are done."""
        await (await self._opened()).unload_model(model)

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
        return await (await self._opened()).get_alias(alias)

    async def list_aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        return await (await self._opened()).list_aliases()

    async def delete_alias(self, alias: str) -> None:
        """Forget an alias; its models stay."""
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
        return await (await self._opened()).get_template(template)

    async def list_templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        return await (await self._opened()).list_templates()

    async def delete_template(self, template: str) -> None:
        """Forget a template."""
        await (await self._opened()).delete_template(template)
