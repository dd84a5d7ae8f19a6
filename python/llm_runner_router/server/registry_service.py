# ruff: noqa: N802 - gRPC gives the methods their names
"""The Registry service. Errors are raised; ``interceptors.py`` turns them into statuses."""

from __future__ import annotations

import asyncio

from llm_runner_router.backend import Backend
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import LoadProgress
from llm_runner_router.server.calls import ServicerContext
from llm_runner_router.v1 import registry_pb2, registry_pb2_grpc
from llm_runner_router.wire.aliases import alias_from_wire, alias_to_wire
from llm_runner_router.wire.models import (
    changed_record_from_wire,
    new_record_from_wire,
    page_to_wire,
    progress_to_wire,
    view_to_wire,
)
from llm_runner_router.wire.templates import template_from_wire, template_to_wire


class RegistryService(registry_pb2_grpc.RegistryServicer):
    """Puts the keeping half of a Backend on the wire."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def RegisterModel(
        self, request: registry_pb2.RegisterModelRequest, _context: ServicerContext
    ) -> registry_pb2.RegisterModelResponse:
        """Add a model."""
        view = await self._backend.register_model(new_record_from_wire(request.model))
        return registry_pb2.RegisterModelResponse(model=view_to_wire(view))

    async def UnregisterModel(
        self, request: registry_pb2.UnregisterModelRequest, _context: ServicerContext
    ) -> registry_pb2.UnregisterModelResponse:
        """Forget a model."""
        await self._backend.unregister_model(request.id)
        return registry_pb2.UnregisterModelResponse()

    async def UpdateModel(
        self, request: registry_pb2.UpdateModelRequest, _context: ServicerContext
    ) -> registry_pb2.UpdateModelResponse:
        """Change the fields that the mask names."""
        fields = tuple(request.update_mask.paths)
        if not fields:
            raise InvalidRequestError("update_mask", "", "at least one path")
        record = changed_record_from_wire(request.model, fields)
        view = await self._backend.update_model(record, fields)
        return registry_pb2.UpdateModelResponse(model=view_to_wire(view))

    async def GetModel(
        self, request: registry_pb2.GetModelRequest, _context: ServicerContext
    ) -> registry_pb2.GetModelResponse:
        """One model."""
        view = await self._backend.get_model(request.id)
        return registry_pb2.GetModelResponse(model=view_to_wire(view))

    async def ListModels(
        self, request: registry_pb2.ListModelsRequest, _context: ServicerContext
    ) -> registry_pb2.ListModelsResponse:
        """A page of models."""
        page = await self._backend.list_models(
            page_size=request.page_size, page_token=request.page_token
        )
        return page_to_wire(page)

    async def LoadModel(  # type: ignore[override]  # the stub knows generators only
        self, request: registry_pb2.LoadModelRequest, context: ServicerContext
    ) -> None:
        """Bring a model into memory and say how far it has come."""
        steps: asyncio.Queue[LoadProgress | None] = asyncio.Queue()
        load = asyncio.ensure_future(self._backend.load_model(request.id, steps.put_nowait))
        load.add_done_callback(lambda _: steps.put_nowait(None))
        try:
            while (step := await steps.get()) is not None:
                await context.write(progress_to_wire(step))
            model = view_to_wire(await load)
            await context.write(registry_pb2.LoadModelResponse(model=model))
        finally:
            load.cancel()

    async def UnloadModel(
        self, request: registry_pb2.UnloadModelRequest, _context: ServicerContext
    ) -> registry_pb2.UnloadModelResponse:
        """Take a model out of memory."""
        await self._backend.unload_model(request.id)
        return registry_pb2.UnloadModelResponse()

    async def SetAlias(
        self, request: registry_pb2.SetAliasRequest, _context: ServicerContext
    ) -> registry_pb2.SetAliasResponse:
        """Create or replace an alias."""
        alias = await self._backend.set_alias(alias_from_wire(request.alias))
        return registry_pb2.SetAliasResponse(alias=alias_to_wire(alias))

    async def GetAlias(
        self, request: registry_pb2.GetAliasRequest, _context: ServicerContext
    ) -> registry_pb2.GetAliasResponse:
        """One alias."""
        alias = await self._backend.get_alias(request.id)
        return registry_pb2.GetAliasResponse(alias=alias_to_wire(alias))

    async def ListAliases(
        self, _request: registry_pb2.ListAliasesRequest, _context: ServicerContext
    ) -> registry_pb2.ListAliasesResponse:
        """All aliases."""
        aliases = await self._backend.list_aliases()
        return registry_pb2.ListAliasesResponse(aliases=map(alias_to_wire, aliases))

    async def DeleteAlias(
        self, request: registry_pb2.DeleteAliasRequest, _context: ServicerContext
    ) -> registry_pb2.DeleteAliasResponse:
        """Forget an alias."""
        await self._backend.delete_alias(request.id)
        return registry_pb2.DeleteAliasResponse()

    async def SetTemplate(
        self, request: registry_pb2.SetTemplateRequest, _context: ServicerContext
    ) -> registry_pb2.SetTemplateResponse:
        """Create or replace a template."""
        template = await self._backend.set_template(template_from_wire(request.template))
        return registry_pb2.SetTemplateResponse(template=template_to_wire(template))

    async def GetTemplate(
        self, request: registry_pb2.GetTemplateRequest, _context: ServicerContext
    ) -> registry_pb2.GetTemplateResponse:
        """One template."""
        template = await self._backend.get_template(request.id)
        return registry_pb2.GetTemplateResponse(template=template_to_wire(template))

    async def ListTemplates(
        self, _request: registry_pb2.ListTemplatesRequest, _context: ServicerContext
    ) -> registry_pb2.ListTemplatesResponse:
        """All templates."""
        templates = await self._backend.list_templates()
        return registry_pb2.ListTemplatesResponse(templates=map(template_to_wire, templates))

    async def DeleteTemplate(
        self, request: registry_pb2.DeleteTemplateRequest, _context: ServicerContext
    ) -> registry_pb2.DeleteTemplateResponse:
        """Forget a template."""
        await self._backend.delete_template(request.id)
        return registry_pb2.DeleteTemplateResponse()
