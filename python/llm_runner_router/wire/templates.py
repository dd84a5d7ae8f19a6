"""Registered templates of prompts."""

from __future__ import annotations

from llm_runner_router.registry.records import PromptTemplate
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.fields import check_instance, extend, fill


def template_to_wire(template: PromptTemplate) -> registry_pb2.PromptTemplate:
    """The message of a template; InvalidRequestError for a value that it cannot hold."""
    path = "template"
    check_instance(path, template, PromptTemplate)
    message = registry_pb2.PromptTemplate()
    fill(message, template, path, ("id", "format", "name", "etag"))
    for name in ("stop_tokens", "model_compatibility"):
        extend(message, name, getattr(template, name), path=f"{path}.{name}")
    return message


def template_from_wire(message: registry_pb2.PromptTemplate) -> PromptTemplate:
    """The template of a message. Its fields are checked by the registry."""
    return PromptTemplate(
        id=message.id,
        format=message.format,
        name=message.name,
        stop_tokens=tuple(message.stop_tokens),
        model_compatibility=tuple(message.model_compatibility),
        etag=message.etag,
    )
