"""The keeping half of a remote router."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import grpc

from llm_runner_router.backend import ALL_MODELS, ProgressListener
from llm_runner_router.errors import EngineError
from llm_runner_router.registry.records import ModelPage, ModelQuery, ModelRecord, ModelView
from llm_runner_router.remote.calls import received, translated
from llm_runner_router.remote.remote_sources import RemoteSources
from llm_runner_router.v1 import registry_pb2, registry_pb2_grpc
from llm_runner_router.wire.fields import assign
from llm_runner_router.wire.models import (
    mask_to_wire,
    page_from_wire,
    progress_from_wire,
    query_to_wire,
    record_to_wire,
    view_from_wire,
)


class RemoteRegistry(RemoteSources):
    """The Registry service behind a channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        super().__init__(registry_pb2_grpc.RegistryStub(channel))

    async def register_model(self, record: ModelRecord) -> ModelView:
        """Add a model."""
        message = registry_pb2.RegisterModelRequest(model=record_to_wire(record))
        with translated():
            return view_from_wire((await self._registry.RegisterModel(message)).model)

    async def unregister_model(self, model: str) -> None:
        """Forget a model."""
        message = registry_pb2.UnregisterModelRequest()
        assign(message, "id", model)
        with translated():
            await self._registry.UnregisterModel(message)

    async def update_model(self, record: ModelRecord, fields: Sequence[str]) -> ModelView:
        """Change the named fields."""
        message = registry_pb2.UpdateModelRequest(
            model=record_to_wire(record), update_mask=mask_to_wire(fields)
        )
        with translated():
            return view_from_wire((await self._registry.UpdateModel(message)).model)

    async def get_model(self, model: str) -> ModelView:
        """One model."""
        message = registry_pb2.GetModelRequest()
        assign(message, "id", model)
        with translated():
            return view_from_wire((await self._registry.GetModel(message)).model)

    async def list_models(self, query: ModelQuery = ALL_MODELS) -> ModelPage:
        """A page of models."""
        message = query_to_wire(query)
        with translated():
            return page_from_wire(await self._registry.ListModels(message))

    async def load_model(
        self, model: str, on_progress: ProgressListener | None = None
    ) -> ModelView:
        """Bring a model into memory; closing or cancelling ends the wait."""
        message = registry_pb2.LoadModelRequest()
        assign(message, "id", model)
        view = None
        async with aclosing(received(self._registry.LoadModel(message))) as answers:
            async for answer in answers:
                if answer.HasField("model"):
                    view = view_from_wire(answer.model)
                elif on_progress is not None and answer.HasField("progress"):
                    on_progress(progress_from_wire(answer.progress))
        if view is None:
            raise EngineError("the service ended the load without a result")
        return view

    async def unload_model(self, model: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Take a model out of memory."""
        message = registry_pb2.UnloadModelRequest()
        assign(message, "id", model)
        if timeout is not None:
            assign(message, "timeout", timeout)
        with translated():
            await self._registry.UnloadModel(message)
