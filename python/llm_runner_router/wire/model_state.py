"""What a model may be asked for, what it takes in memory, and what was measured of it."""

from __future__ import annotations

from llm_runner_router.registry.records import (
    MemoryEstimate,
    ModelDetails,
    ModelLimits,
    ModelPerformance,
)
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.fields import check_instance, fill, present

LIMITS = ("concurrent_requests", "max_tokens")
MEASURED = ("tokens_per_second", "first_token_ms", "first_token_p95_ms")
MEMORY = ("weights", "kv", "compute", "vocabulary")
DETAILS = ("architecture", "parameters", "file_bytes", "context_length", "vocabulary_size")


def limits_to_wire(limits: ModelLimits) -> registry_pb2.ModelLimits:
    """What a model may be asked for."""
    check_instance("model.limits", limits, ModelLimits)
    message = registry_pb2.ModelLimits()
    fill(message, limits, "model.limits", LIMITS)
    return message


def limits_from_wire(message: registry_pb2.ModelLimits) -> ModelLimits:
    """What a model may be asked for."""
    return ModelLimits(**present(message, LIMITS))


def memory_to_wire(memory: MemoryEstimate) -> registry_pb2.MemoryEstimate:
    """What a model takes in memory."""
    message = registry_pb2.MemoryEstimate(total=memory.total)
    fill(message, memory, "memory", MEMORY)
    return message


def memory_from_wire(message: registry_pb2.MemoryEstimate) -> MemoryEstimate:
    """What a model takes in memory; the total follows from its parts."""
    return MemoryEstimate(**{name: int(getattr(message, name)) for name in MEMORY})


def performance_to_wire(performance: ModelPerformance) -> registry_pb2.ModelPerformance:
    """What was measured of a model."""
    message = registry_pb2.ModelPerformance()
    fill(message, performance, "performance", ("samples", "error_rate", "memory_bytes", *MEASURED))
    return message


def performance_from_wire(message: registry_pb2.ModelPerformance) -> ModelPerformance:
    """What was measured of a model."""
    return ModelPerformance(
        samples=message.samples,
        error_rate=message.error_rate,
        memory_bytes=int(message.memory_bytes),
        **present(message, MEASURED),
    )


def details_to_wire(details: ModelDetails) -> registry_pb2.ModelDetails:
    """What is known of a model's file."""
    message = registry_pb2.ModelDetails()
    fill(message, details, "details", DETAILS)
    return message


def details_from_wire(message: registry_pb2.ModelDetails) -> ModelDetails:
    """What is known of a model's file."""
    return ModelDetails(
        architecture=message.architecture,
        parameters=int(message.parameters),
        file_bytes=int(message.file_bytes),
        context_length=message.context_length,
        vocabulary_size=message.vocabulary_size,
    )
