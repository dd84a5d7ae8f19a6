"""The router of this process: what its parts are, and how they hang together."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

from llm_runner_router.backend import (
    ALL_MODELS,
    ANONYMOUS,
    CallContext,
    ProgressListener,
    PullListener,
)
from llm_runner_router.composition import Parts, Surroundings, compose
from llm_runner_router.config.sources import LoadedConfig
from llm_runner_router.config.tree import updated
from llm_runner_router.conversation import Session
from llm_runner_router.conversation_messages import SessionEvent, SessionMessage
from llm_runner_router.decision import Decision
from llm_runner_router.ensemble import Ensemble
from llm_runner_router.ensembles import EnsembleRequest, EnsembleResponse
from llm_runner_router.errors import RouterError, UnavailableError
from llm_runner_router.folding import fold
from llm_runner_router.model_sources import ModelSources
from llm_runner_router.passage import Passage
from llm_runner_router.providers.base import Provider
from llm_runner_router.registry.memory.residency import ModelLoader
from llm_runner_router.registry.records import (
    Alias,
    ImportMode,
    ImportReport,
    ModelPage,
    ModelQuery,
    ModelRecord,
    ModelView,
    PromptTemplate,
    RegistryChange,
    UsageQuery,
    UsageRow,
)
from llm_runner_router.types import Event, HealthReport, Request, Response, Status
from llm_runner_router.validation.request import (
    MAX_TEXT,
    check_model,
    check_text,
    check_token_ids,
    validate_batch,
)
from llm_runner_router.validation.values import check_number
from llm_runner_router.version import VERSION

MAX_UNLOAD_SECONDS = 86_400.0

logger = logging.getLogger(__name__)


class Runtime:
    """Implements Backend. ``loader`` replaces what brings models into memory, for tests."""

    def __init__(self, loaded: LoadedConfig, loader: ModelLoader | None = None) -> None:
        self._config = loaded.config
        self._sources = ModelSources.of(lambda: self._config, loaded.folder)
        self._around = Surroundings(
            loaded.folder,
            self._sources.memory_bytes,
            loader or self._sources.loader,
            self._sources.pulls,
        )
        self._began = time.monotonic()
        self._parts_or_none: Parts | None = None
        self._closed = False

    @property
    def _parts(self) -> Parts:
        if self._closed or self._parts_or_none is None:
            state = "closed" if self._closed else "not initialized"
            raise UnavailableError(f"the router is {state}")
        return self._parts_or_none

    async def initialize(self) -> None:
        """See Backend. InvalidConfigError where the registry or the log file cannot be used."""
        if self._closed or self._parts_or_none is not None:
            return
        self._parts_or_none = await compose(lambda: self._config, self._around)
        logger.info("the registry holds %d models", len(self._parts.stages.store))

    async def process(self, request: Request, context: CallContext = ANONYMOUS) -> Response:
        """See Backend."""
        async with aclosing(self.process_stream(request, context)) as events:
            return await fold(events)

    async def process_stream(
        self, request: Request, context: CallContext = ANONYMOUS
    ) -> AsyncGenerator[Event, None]:
        """See Backend."""
        answer = self._parts.pipeline.run(Passage.begin(request, context))
        async with aclosing(answer):
            async for event in answer:
                yield event

    async def process_batch(
        self, requests: Sequence[Request], context: CallContext = ANONYMOUS
    ) -> Sequence[Response | RouterError]:
        """See Backend. No more of a batch are under way than may run at once."""
        pipeline = self._parts.pipeline
        validate_batch(requests)
        places = asyncio.Semaphore(self._places_of(context.caller))

        async def answer(request: Request) -> Response | RouterError:
            async with places, aclosing(pipeline.run(Passage.begin(request, context))) as events:
                try:
                    return await fold(events)
                except RouterError as error:
                    return error

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(answer(request)) for request in requests]
        return [task.result() for task in tasks]

    def _places_of(self, caller: str) -> int:
        """How many requests of ``caller`` may run at once."""
        limits = self._config.limits
        own = limits.callers.get(caller, limits.each_caller).concurrent_streams
        most = self._config.performance.max_concurrent
        return min(own, most) if own else most

    async def converse(
        self, messages: AsyncIterator[SessionMessage], context: CallContext = ANONYMOUS
    ) -> AsyncGenerator[SessionEvent, None]:
        """See Backend."""
        session = Session(self._parts.pipeline, context)
        async with aclosing(session.events(messages)) as events:
            async for event in events:
                yield event

    async def process_ensemble(
        self, ensemble: EnsembleRequest, context: CallContext = ANONYMOUS
    ) -> EnsembleResponse:
        """See Backend. Each member takes a place of its own."""
        return await Ensemble(self.process).run(ensemble, context)

    async def route(self, request: Request, context: CallContext = ANONYMOUS) -> Decision:
        """See Backend."""
        return self._parts.pipeline.route(request, context)

    async def feedback(
        self, request_id: str, score: float, context: CallContext = ANONYMOUS
    ) -> None:
        """See Backend."""
        check_number("score", score, 0, 1)
        self._parts.stages.settlement.feedback(context.caller, request_id, score)

    async def get_usage(self, query: UsageQuery) -> Sequence[UsageRow]:
        """See Backend."""
        return await self._parts.records.ledger.rows(query)

    async def tokenize(
        self, model: str | None, text: str, *, add_special: bool, parse_special: bool
    ) -> Sequence[int]:
        """See Backend. Loads the model if need be."""
        check_text("text", text, MAX_TEXT, empty=True)
        async with self._lease(model) as provider:
            return await asyncio.to_thread(
                provider.tokenize, text, add_special=add_special, parse_special=parse_special
            )

    async def detokenize(self, model: str | None, token_ids: Sequence[int]) -> str:
        """See Backend. Loads the model if need be."""
        check_token_ids(token_ids)
        async with self._lease(model) as provider:
            return await asyncio.to_thread(provider.detokenize, token_ids)

    def _lease(self, model: str | None) -> AbstractAsyncContextManager[Provider]:
        check_model(model)
        parts = self._parts
        return parts.stages.residency.lease(parts.stages.router.choose(model).id)

    async def register_model(self, record: ModelRecord) -> ModelView:
        """See Backend."""
        return await self._parts.catalogue.register(record)

    async def unregister_model(self, model: str) -> None:
        """See Backend. ModelBusyError while requests run on it."""
        parts = self._parts
        await parts.catalogue.unregister(model)
        parts.forget(model)

    async def update_model(self, record: ModelRecord, fields: Sequence[str]) -> ModelView:
        """See Backend."""
        return await self._parts.catalogue.update(record, fields)

    async def get_model(self, model: str) -> ModelView:
        """See Backend."""
        return await self._parts.catalogue.get(model)

    async def list_models(self, query: ModelQuery = ALL_MODELS) -> ModelPage:
        """See Backend."""
        return self._parts.catalogue.page(query)

    async def watch_models(self, resume_token: str = "") -> AsyncGenerator[RegistryChange, None]:
        """See Backend."""
        async with aclosing(self._parts.catalogue.watch(resume_token)) as changes:
            async for change in changes:
                yield change

    async def pull_model(
        self, source: str, model: str = "", on_progress: PullListener | None = None
    ) -> ModelView:
        """See Backend."""
        return await self._parts.catalogue.pull(source, model, on_progress)

    async def import_registry(self, document: bytes, *, replace: bool = False) -> ImportReport:
        """See Backend."""
        mode = ImportMode.REPLACE if replace else ImportMode.KEEP
        return await self._parts.catalogue.import_document(document, mode)

    async def export_registry(self) -> bytes:
        """See Backend."""
        return self._parts.catalogue.export_document()

    async def load_model(
        self, model: str, on_progress: ProgressListener | None = None
    ) -> ModelView:
        """See Backend."""
        return await self._parts.catalogue.load(model, on_progress)

    async def unload_model(self, model: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """See Backend."""
        check_number("timeout", timeout, 0, MAX_UNLOAD_SECONDS)
        parts = self._parts
        await parts.catalogue.unload(model, timeout)
        parts.stages.router.forget(model)

    async def set_alias(self, alias: Alias) -> Alias:
        """See Backend."""
        return await self._parts.catalogue.set_alias(alias)

    async def get_alias(self, alias: str) -> Alias:
        """See Backend."""
        return self._parts.catalogue.alias(alias)

    async def list_aliases(self) -> Sequence[Alias]:
        """See Backend."""
        return self._parts.catalogue.aliases()

    async def delete_alias(self, alias: str) -> None:
        """See Backend."""
        await self._parts.catalogue.remove_alias(alias)

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        """See Backend."""
        return await self._parts.catalogue.set_template(template)

    async def get_template(self, template: str) -> PromptTemplate:
        """See Backend."""
        return self._parts.catalogue.template(template)

    async def list_templates(self) -> Sequence[PromptTemplate]:
        """See Backend."""
        return self._parts.catalogue.templates()

    async def delete_template(self, template: str) -> None:
        """See Backend."""
        await self._parts.catalogue.remove_template(template)

    async def get_config(self) -> Mapping[str, Any]:
        """See Backend."""
        return self._config.nested()

    async def update_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """See Backend."""
        parts = self._parts
        self._config = updated(self._config, changes)
        performance = self._config.performance
        parts.stages.admission.resize(performance.max_concurrent, performance.max_queue)
        parts.log.set_level(self._config.logging.level)
        return self._config.nested()

    async def get_status(self) -> Status:
        """See Backend."""
        stages = self._parts.stages
        return Status(
            healthy=True,
            version=VERSION,
            uptime_seconds=time.monotonic() - self._began,
            running_requests=stages.admission.running,
            queued_requests=stages.admission.queued,
            loaded_models=stages.residency.loaded_models(),
            registered_models=len(stages.store),
            cache=stages.cache.counts(),
        )

    async def check_health(self) -> HealthReport:
        """See Backend. Answers also before initialize and after close, with ``ready`` false."""
        if self._closed or self._parts_or_none is None:
            return HealthReport(ready=False, draining=False)
        parts = self._parts
        models = {model: parts.stages.residency.loaded(model) for model in parts.catalogue.ids()}
        return HealthReport(ready=True, draining=False, models=models)

    async def close(self) -> None:
        """See Backend."""
        if self._closed:
            return
        parts, self._closed = self._parts_or_none, True
        if parts is None:
            return
        await parts.close()
        await self._sources.close()
