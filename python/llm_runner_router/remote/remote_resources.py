"""The aliases and templates of a remote router."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.registry.records import Alias, PromptTemplate
from llm_runner_router.remote.calls import translated
from llm_runner_router.v1 import registry_pb2, registry_pb2_grpc
from llm_runner_router.wire.aliases import alias_from_wire, alias_to_wire
from llm_runner_router.wire.fields import assign
from llm_runner_router.wire.templates import template_from_wire, template_to_wire


class RemoteResources:
    """What the Registry service keeps beside the models."""

    def __init__(self, registry: registry_pb2_grpc.RegistryAsyncStub) -> None:
        self._registry = registry

    async def set_alias(self, alias: Alias) -> Alias:
        """Create or replace an alias."""
        message = registry_pb2.SetAliasRequest(alias=alias_to_wire(alias))
        with translated():
            return alias_from_wire((await self._registry.SetAlias(message)).alias)

    async def get_alias(self, alias: str) -> Alias:
        """One alias."""
        message = registry_pb2.GetAliasRequest()
        assign(message, "id", alias)
        with translated():
            return alias_from_wire((await self._registry.GetAlias(message)).alias)

    async def list_aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        with translated():
            answer = await self._registry.ListAliases(registry_pb2.ListAliasesRequest())
            return tuple(map(alias_from_wire, answer.aliases))

    async def delete_alias(self, alias: str) -> None:
        """Forget an alias."""
        message = registry_pb2.DeleteAliasRequest()
        assign(message, "id", alias)
        with translated():
            await self._registry.DeleteAlias(message)

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        """Create or replace a template."""
        message = registry_pb2.SetTemplateRequest(template=template_to_wire(template))
        with translated():
            return template_from_wire((await self._registry.SetTemplate(message)).template)

    async def get_template(self, template: str) -> PromptTemplate:
        """One template."""
        message = registry_pb2.GetTemplateRequest()
        assign(message, "id", template)
        with translated():
            return template_from_wire((await self._registry.GetTemplate(message)).template)

    async def list_templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        with translated():
            answer = await self._registry.ListTemplates(registry_pb2.ListTemplatesRequest())
            return tuple(map(template_from_wire, answer.templates))

    async def delete_template(self, template: str) -> None:
        """Forget a template."""
        message = registry_pb2.DeleteTemplateRequest()
        assign(message, "id", template)
        with translated():
            await self._registry.DeleteTemplate(message)
