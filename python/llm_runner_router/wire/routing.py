"""What a request wishes about routing, cache, priority and templates."""

from __future__ import annotations

from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.v1 import router_pb2, types_pb2
from llm_runner_router.wire.fields import assign, check_instance, extend, fill, present
from llm_runner_router.wire.words import Words

STRATEGIES: Words[types_pb2.Strategy, Strategy | None] = Words(
    {
        types_pb2.STRATEGY_UNSPECIFIED: None,
        types_pb2.STRATEGY_QUALITY_FIRST: Strategy.QUALITY_FIRST,
        types_pb2.STRATEGY_COST_OPTIMIZED: Strategy.COST_OPTIMIZED,
        types_pb2.STRATEGY_SPEED_PRIORITY: Strategy.SPEED_PRIORITY,
        types_pb2.STRATEGY_BALANCED: Strategy.BALANCED,
        types_pb2.STRATEGY_RANDOM: Strategy.RANDOM,
        types_pb2.STRATEGY_ROUND_ROBIN: Strategy.ROUND_ROBIN,
        types_pb2.STRATEGY_LEAST_LOADED: Strategy.LEAST_LOADED,
        types_pb2.STRATEGY_CAPABILITY_MATCH: Strategy.CAPABILITY_MATCH,
        types_pb2.STRATEGY_PREFIX_AFFINITY: Strategy.PREFIX_AFFINITY,
        types_pb2.STRATEGY_WEIGHTED: Strategy.WEIGHTED,
        types_pb2.STRATEGY_CANARY: Strategy.CANARY,
        types_pb2.STRATEGY_ADAPTIVE: Strategy.ADAPTIVE,
    }
)

PRIORITIES = Words(
    {
        types_pb2.PRIORITY_UNSPECIFIED: Priority.NORMAL,
        types_pb2.PRIORITY_LOW: Priority.LOW,
        types_pb2.PRIORITY_NORMAL: Priority.NORMAL,
        types_pb2.PRIORITY_HIGH: Priority.HIGH,
    }
)

CACHE_MODES = Words(
    {
        types_pb2.CACHE_MODE_UNSPECIFIED: CacheMode.DEFAULT,
        types_pb2.CACHE_MODE_BYPASS: CacheMode.BYPASS,
        types_pb2.CACHE_MODE_REFRESH: CacheMode.REFRESH,
    }
)

ROUTING_OPTIONAL = ("max_attempts", "first_token_timeout_ms", "hedge", "affinity")
REQUIREMENTS_OPTIONAL = ("context_length", "max_cost_usd", "max_latency_ms", "min_quality")


def routing_to_wire(routing: Routing) -> router_pb2.Routing:
    """How the answering model is chosen."""
    check_instance("routing", routing, Routing)
    message = router_pb2.Routing(
        strategy=STRATEGIES.number(routing.strategy, "routing.strategy"),
        requirements=requirements_to_wire(routing.requirements),
    )
    extend(message, "fallbacks", routing.fallbacks, path="routing.fallbacks")
    fill(message, routing, "routing", ("fallback_to_capable", *ROUTING_OPTIONAL))
    return message


def routing_from_wire(message: router_pb2.Routing) -> Routing:
    """How the answering model is chosen."""
    return Routing(
        strategy=STRATEGIES.word(message.strategy, "routing.strategy"),
        requirements=requirements_from_wire(message.requirements),
        fallbacks=tuple(message.fallbacks),
        fallback_to_capable=message.fallback_to_capable,
        **present(message, ROUTING_OPTIONAL),
    )


def requirements_to_wire(wanted: Requirements) -> router_pb2.Requirements:
    """What a model must offer."""
    path = "routing.requirements"
    check_instance(path, wanted, Requirements)
    message = router_pb2.Requirements()
    extend(message, "capabilities", wanted.capabilities, path=f"{path}.capabilities")
    fill(message, wanted, path, ("local_only", *REQUIREMENTS_OPTIONAL))
    return message


def requirements_from_wire(message: router_pb2.Requirements) -> Requirements:
    """What a model must offer."""
    return Requirements(
        capabilities=tuple(message.capabilities),
        local_only=message.local_only,
        **present(message, REQUIREMENTS_OPTIONAL),
    )


def cache_to_wire(cache: CacheControl) -> router_pb2.CacheControl:
    """What becomes of the cache of answers."""
    check_instance("cache", cache, CacheControl)
    message = router_pb2.CacheControl(mode=CACHE_MODES.number(cache.mode, "cache.mode"))
    fill(message, cache, "cache", ("any_sampling",))
    if cache.ttl is not None:
        assign(message, "ttl_seconds", cache.ttl, path="cache.ttl")
    return message


def cache_from_wire(message: router_pb2.CacheControl) -> CacheControl:
    """What becomes of the cache of answers."""
    return CacheControl(
        mode=CACHE_MODES.word(message.mode, "cache.mode"),
        any_sampling=message.any_sampling,
        ttl=message.ttl_seconds if message.HasField("ttl_seconds") else None,
    )


def template_use_to_wire(use: TemplateUse) -> router_pb2.TemplateUse:
    """A template and its variables."""
    check_instance("template", use, TemplateUse)
    message = router_pb2.TemplateUse()
    fill(message, use, "template", ("id",))
    extend(message, "variables", use.variables, path="template.variables")
    return message


def template_use_from_wire(message: router_pb2.TemplateUse) -> TemplateUse:
    """A template and its variables."""
    return TemplateUse(message.id, dict(message.variables))
