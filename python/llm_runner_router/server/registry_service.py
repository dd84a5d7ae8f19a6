# ruff: noqa: N802 - gRPC gives the methods their names
"""The Registry service. Errors are raised; ``interceptors.py`` turns them into statuses."""

from __future__ import annotations

from contextlib import aclosing

from llm_runner_router.backend import Backend, ProgressListener, PullListener
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.server.calls import ServicerContext
from llm_runner_router.server.drain import Drain
from llm_runner_router.server.reporting import steps_of
from llm_runner_router.v1 import registry_pb2, registry_pb2_grpc
from llm_runner_router.wire.aliases import alias_from_wire, alias_to_wire
from llm_runner_router.wire.changes import change_to_wire
from llm_runner_router.wire.models import (
    changed_record_from_wire,
    new_record_from_wire,
    page_to_wire,
    progress_to_wire,
    query_from_wire,
    view_to_wire,
)
from llm_runner_router.wire.pulls import pull_to_wire
from llm_runner_router.wire.templates import template_from_wire, template_to_wire


class RegistryService(registry_pb2_grpc.RegistryServicer):
    """Puts the keeping half of a Backend on the wire."""

    def __init__(self, backend: Backend, drain: Drain) -> None:
        self._backend = backend
        self._drain = drain

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
        return page_to_wire(await self._backend.list_models(query_from_wire(request)))

    async def WatchModels(  # type: ignore[override]  # the stub knows generators only
        self, request: registry_pb2.WatchModelsRequest, context: ServicerContext
    ) -> None:
        """Tell every change until the client leaves."""
        async with (
            aclosing(self._backend.watch_models(request.resume_token)) as changes,
            aclosing(self._drain.while_serving(changes)) as told,
        ):
            async for change in told:
                await context.write(change_to_wire(change))

    async def PullModel(  # type: ignore[override]  # the stub knows generators only
        self, request: registry_pb2.PullModelRequest, context: ServicerContext
    ) -> None:
        """Download a model and say how far it has come."""
        answer = registry_pb2.PullModelResponse()

        async def pull(report: PullListener) -> None:
            view = await self._backend.pull_model(request.source, request.id, report)
            answer.model.CopyFrom(view_to_wire(view))

        async with aclosing(steps_of(pull)) as steps:
            async for step in steps:
                await context.write(registry_pb2.PullModelResponse(progress=pull_to_wire(step)))
        await context.write(answer)

    async def ImportRegistry(
        self, request: registry_pb2.ImportRegistryRequest, _context: ServicerContext
    ) -> registry_pb2.ImportRegistryResponse:
        """Add what a registry file holds."""
        report = await self._backend.import_registry(request.document, replace=request.replace)
        return registry_pb2.ImportRegistryResponse(
            added=report.added, replaced=report.replaced, unchanged=report.unchanged
        )

    async def ExportRegistry(
        self, _request: registry_pb2.ExportRegistryRequest, _context: ServicerContext
    ) -> registry_pb2.ExportRegistryResponse:
        """All models and templates as a registry file."""
        document = await self._backend.export_registry()
        return registry_pb2.ExportRegistryResponse(document=document)

    async def LoadModel(  # type: ignore[override]  # the stub knows generators only
        self, request: registry_pb2.LoadModelRequest, context: ServicerContext
    ) -> None:
        """Bring a model into memory and say how far it has come."""
        answer = registry_pb2.LoadModelResponse()

        async def load(report: ProgressListener) -> None:
            view = await self._backend.load_model(request.id, report)
            answer.model.CopyFrom(view_to_wire(view))

        async with aclosing(steps_of(load)) as steps:
            async for step in steps:
                await context.write(progress_to_wire(step))
        await context.write(answer)

    async def UnloadModel(
        self, request: registry_pb2.UnloadModelRequest, _context: ServicerContext
    ) -> registry_pb2.UnloadModelResponse:
        """Take a model out of memory."""
        timeout = request.timeout if request.HasField("timeout") else None
        await self._backend.unload_model(request.id, timeout)
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
