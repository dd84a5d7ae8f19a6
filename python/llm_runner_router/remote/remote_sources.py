"""Pulls, changes and registry files of a remote router."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from llm_runner_router.backend import PullListener
from llm_runner_router.errors import EngineError
from llm_runner_router.registry.records import ImportReport, ModelView, RegistryChange
from llm_runner_router.remote.calls import received, translated
from llm_runner_router.remote.remote_resources import RemoteResources
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.changes import change_from_wire
from llm_runner_router.wire.fields import assign
from llm_runner_router.wire.models import view_from_wire
from llm_runner_router.wire.pulls import pull_from_wire


class RemoteSources(RemoteResources):
    """Where the models of the Registry service come from and go to."""

    async def pull_model(
        self, source: str, model: str = "", on_progress: PullListener | None = None
    ) -> ModelView:
        """Download a model; closing or cancelling ends the wait."""
        message = registry_pb2.PullModelRequest()
        assign(message, "source", source)
        assign(message, "id", model)
        view = None
        async with aclosing(received(self._registry.PullModel(message))) as answers:
            async for answer in answers:
                if answer.HasField("model"):
                    view = view_from_wire(answer.model)
                elif on_progress is not None and answer.HasField("progress"):
                    on_progress(pull_from_wire(answer.progress))
        if view is None:
            raise EngineError("the service ended the pull without a result")
        return view

    async def watch_models(self, resume_token: str = "") -> AsyncGenerator[RegistryChange, None]:
        """Every change; closing the iterator ends the call."""
        message = registry_pb2.WatchModelsRequest()
        assign(message, "resume_token", resume_token)
        async with aclosing(received(self._registry.WatchModels(message))) as answers:
            async for answer in answers:
                change = change_from_wire(answer)
                if change is not None:
                    yield change

    async def import_registry(self, document: bytes, *, replace: bool = False) -> ImportReport:
        """Add what a registry file holds."""
        message = registry_pb2.ImportRegistryRequest(replace=replace)
        assign(message, "document", document)
        with translated():
            answer = await self._registry.ImportRegistry(message)
        return ImportReport(tuple(answer.added), tuple(answer.replaced), tuple(answer.unchanged))

    async def export_registry(self) -> bytes:
        """All models and templates as a registry file."""
        with translated():
            answer = await self._registry.ExportRegistry(registry_pb2.ExportRegistryRequest())
        return answer.document
