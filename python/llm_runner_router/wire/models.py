"""What the registry knows of models."""

from __future__ import annotations

from collections.abc import Sequence

from google.protobuf.field_mask_pb2 import FieldMask

from llm_runner_router.errors import EngineError, InvalidRequestError
from llm_runner_router.registry.records import (
    DEFAULT_CAPABILITIES,
    LoadProgress,
    ModelConfig,
    ModelPage,
    ModelQuery,
    ModelRecord,
    ModelView,
)
from llm_runner_router.types import ModelFormat
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.endpoints import (
    endpoint_from_wire,
    endpoint_to_wire,
    pricing_from_wire,
    pricing_to_wire,
)
from llm_runner_router.wire.fields import check_instance, extend, fill, present
from llm_runner_router.wire.model_state import (
    details_from_wire,
    details_to_wire,
    limits_from_wire,
    limits_to_wire,
    memory_from_wire,
    memory_to_wire,
    performance_from_wire,
    performance_to_wire,
)

FORMATS = {
    registry_pb2.MODEL_FORMAT_GGUF: ModelFormat.GGUF,
    registry_pb2.MODEL_FORMAT_HF: ModelFormat.HF,
    registry_pb2.MODEL_FORMAT_API: ModelFormat.API,
}
FORMAT_NUMBERS = {model_format: number for number, model_format in FORMATS.items()}

OPTIONAL_CONFIG = (
    "context_length",
    "max_tokens",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "repeat_penalty",
    "gpu_layers",
    "seed",
    "frequency_penalty",
    "presence_penalty",
    "system",
    "chat_template",
    "license",
    "pinned",
    "idle_timeout",
    "quantization",
)
QUERY = ("filter", "order_by", "page_size", "page_token")
PLAIN = ("id", "name", "source", "etag", "provider", "quality", "owner", "created", "updated")


def new_record_from_wire(message: registry_pb2.Model) -> ModelRecord:
    """A model to be registered: its format must be given, the rest is checked by the registry."""
    model_format = FORMATS.get(message.format)
    if model_format is None:
        allowed = "MODEL_FORMAT_GGUF (1), MODEL_FORMAT_HF (2) or MODEL_FORMAT_API (3)"
        raise InvalidRequestError("model.format", int(message.format), allowed)
    return record_from_wire(message, model_format)


def changed_record_from_wire(message: registry_pb2.Model, fields: Sequence[str]) -> ModelRecord:
    """A model with new values: its format need be given only where it is one of ``fields``."""
    if "format" in fields:
        return new_record_from_wire(message)
    return record_from_wire(message, FORMATS.get(message.format, ModelFormat.GGUF))


def record_from_wire(message: registry_pb2.Model, model_format: ModelFormat) -> ModelRecord:
    """The fields of a record."""
    return ModelRecord(
        id=message.id,
        name=message.name or message.id,
        format=model_format,
        source=message.source,
        config=config_from_wire(message.config),
        capabilities=tuple(message.capabilities) or DEFAULT_CAPABILITIES,
        labels=dict(message.labels),
        etag=message.etag,
        provider=message.provider,
        endpoint=endpoint_from_wire(message.endpoint),
        pricing=pricing_from_wire(message.pricing) if message.HasField("pricing") else None,
        quality=message.quality if message.HasField("quality") else None,
        owner=message.owner,
        tags=tuple(message.tags),
        limits=limits_from_wire(message.limits),
        created=message.created,
        updated=message.updated,
    )


def config_from_wire(message: registry_pb2.ModelConfig) -> ModelConfig:
    """How a model is run."""
    return ModelConfig(**present(message, OPTIONAL_CONFIG), stop=tuple(message.stop))


def record_to_wire(record: ModelRecord) -> registry_pb2.Model:
    """The message of a record; InvalidRequestError for a value that it cannot hold."""
    message = registry_pb2.Model(format=format_number(record.format))
    fill(message, record, "model", PLAIN)
    extend(message, "capabilities", record.capabilities, path="model.capabilities")
    extend(message, "tags", record.tags, path="model.tags")
    extend(message, "labels", record.labels, path="model.labels")
    fill(message.config, record.config, "model.config", OPTIONAL_CONFIG)
    extend(message.config, "stop", record.config.stop, path="model.config.stop")
    message.endpoint.CopyFrom(endpoint_to_wire(record.endpoint))
    message.limits.CopyFrom(limits_to_wire(record.limits))
    if record.pricing is not None:
        message.pricing.CopyFrom(pricing_to_wire(record.pricing))
    return message


def format_number(model_format: ModelFormat) -> registry_pb2.ModelFormat:
    """The number of a format."""
    number = FORMAT_NUMBERS.get(model_format)
    if number is None:
        raise InvalidRequestError("model.format", model_format, ", ".join(ModelFormat))
    return number


def view_to_wire(view: ModelView) -> registry_pb2.Model:
    """A record with its present state."""
    message = record_to_wire(view.record)
    message.loaded = view.loaded
    message.details.CopyFrom(details_to_wire(view.details))
    if view.memory is not None:
        message.memory.CopyFrom(memory_to_wire(view.memory))
    message.performance.CopyFrom(performance_to_wire(view.performance))
    return message


def view_from_wire(message: registry_pb2.Model) -> ModelView:
    """A record with its present state, as the service says it."""
    model_format = FORMATS.get(message.format)
    if model_format is None:
        raise EngineError(f"format {int(message.format)} is unknown to this version of the client")
    return ModelView(
        record_from_wire(message, model_format),
        message.loaded,
        details_from_wire(message.details),
        memory_from_wire(message.memory) if message.HasField("memory") else None,
        performance_from_wire(message.performance),
    )


def query_to_wire(query: ModelQuery) -> registry_pb2.ListModelsRequest:
    """A page that is asked for."""
    check_instance("query", query, ModelQuery)
    message = registry_pb2.ListModelsRequest()
    fill(message, query, "query", QUERY)
    return message


def query_from_wire(message: registry_pb2.ListModelsRequest) -> ModelQuery:
    """A page that is asked for."""
    return ModelQuery(**{name: getattr(message, name) for name in QUERY})


def page_to_wire(page: ModelPage) -> registry_pb2.ListModelsResponse:
    """A page of models."""
    return registry_pb2.ListModelsResponse(
        models=map(view_to_wire, page.models), next_page_token=page.next_page_token
    )


def page_from_wire(message: registry_pb2.ListModelsResponse) -> ModelPage:
    """A page of models."""
    return ModelPage(tuple(map(view_from_wire, message.models)), message.next_page_token)


def progress_to_wire(progress: LoadProgress) -> registry_pb2.LoadModelResponse:
    """How far a load has come."""
    return registry_pb2.LoadModelResponse(
        progress=registry_pb2.LoadProgress(phase=progress.phase, fraction=progress.fraction)
    )


def progress_from_wire(message: registry_pb2.LoadProgress) -> LoadProgress:
    """How far a load has come."""
    return LoadProgress(message.phase, message.fraction)


def mask_to_wire(fields: Sequence[str]) -> FieldMask:
    """The paths of an update."""
    mask = FieldMask()
    extend(mask, "paths", fields, path="update_mask")
    return mask
