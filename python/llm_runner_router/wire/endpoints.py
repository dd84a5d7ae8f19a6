"""How a provider's API is reached, and what it costs."""

from __future__ import annotations

from llm_runner_router.registry.records import Endpoint, Pricing
from llm_runner_router.v1 import registry_pb2
from llm_runner_router.wire.fields import check_instance, extend, fill, present
from llm_runner_router.wire.structs import struct_from_wire, struct_to_wire

ENDPOINT_OPTIONAL = ("base_url", "api_key", "organization", "api_version")
PRICING_OPTIONAL = ("cached_input", "cache_write", "reasoning")


def endpoint_to_wire(endpoint: Endpoint) -> registry_pb2.Endpoint:
    """How a provider is reached."""
    path = "model.endpoint"
    check_instance(path, endpoint, Endpoint)
    message = registry_pb2.Endpoint()
    fill(message, endpoint, path, ENDPOINT_OPTIONAL)
    extend(message, "headers", endpoint.headers, path=f"{path}.headers")
    if endpoint.options != {}:
        message.options.CopyFrom(struct_to_wire(endpoint.options, f"{path}.options"))
    return message


def endpoint_from_wire(message: registry_pb2.Endpoint) -> Endpoint:
    """How a provider is reached."""
    return Endpoint(
        **present(message, ENDPOINT_OPTIONAL),
        headers=dict(message.headers),
        options=struct_from_wire(message.options),
    )


def pricing_to_wire(pricing: Pricing) -> registry_pb2.Pricing:
    """What a model costs."""
    check_instance("model.pricing", pricing, Pricing)
    message = registry_pb2.Pricing()
    fill(message, pricing, "model.pricing", ("input", "output", *PRICING_OPTIONAL))
    return message


def pricing_from_wire(message: registry_pb2.Pricing) -> Pricing:
    """What a model costs."""
    return Pricing(message.input, message.output, **present(message, PRICING_OPTIONAL))
