"""The limits of what a request wishes about routing, cache, priority and templates."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.validation.values import (
    MAX_MODEL_ID,
    MAX_TEXT,
    UINT32,
    check_count,
    check_flag,
    check_list,
    check_number,
    check_text,
    check_texts,
    check_word,
)

MAX_FALLBACKS = 32
MAX_ATTEMPTS = 20
MAX_CAPABILITIES = 32
MAX_CAPABILITY = 64
MAX_AFFINITY = 256
MAX_CONTEXT = 16_777_216
MAX_COST_USD = 1_000_000
MAX_MILLISECONDS = 86_400_000
MAX_VARIABLES = 64


def check_routing(routing: Routing) -> None:
    """How the answering model is chosen, and what happens when it fails."""
    if not isinstance(routing, Routing):
        raise InvalidRequestError("routing", routing, "wishes about routing")
    if routing.strategy is not None:
        check_word("routing.strategy", routing.strategy, Strategy)
    check_requirements(routing.requirements)
    check_names("routing.fallbacks", routing.fallbacks, MAX_FALLBACKS, MAX_MODEL_ID)
    check_flag("routing.fallback_to_capable", routing.fallback_to_capable)
    check_count("routing.max_attempts", routing.max_attempts, 1, MAX_ATTEMPTS)
    timeout = routing.first_token_timeout_ms
    check_number("routing.first_token_timeout_ms", timeout, 1, MAX_MILLISECONDS)
    if routing.hedge is not None:
        check_flag("routing.hedge", routing.hedge)
    if routing.affinity is not None:
        check_text("routing.affinity", routing.affinity, MAX_AFFINITY)


def check_requirements(wanted: Requirements) -> None:
    """What a model must offer."""
    field = "routing.requirements"
    if not isinstance(wanted, Requirements):
        raise InvalidRequestError(field, wanted, "requirements")
    check_names(f"{field}.capabilities", wanted.capabilities, MAX_CAPABILITIES, MAX_CAPABILITY)
    check_count(f"{field}.context_length", wanted.context_length, 1, MAX_CONTEXT)
    check_number(f"{field}.max_cost_usd", wanted.max_cost_usd, 0, MAX_COST_USD)
    check_number(f"{field}.max_latency_ms", wanted.max_latency_ms, 0, MAX_MILLISECONDS)
    check_number(f"{field}.min_quality", wanted.min_quality, 0, 1)
    check_flag(f"{field}.local_only", wanted.local_only)


def check_names(field: str, names: Sequence[str], most: int, characters: int) -> None:
    """A short list of names."""
    check_list(field, names, most, "names")
    for index, name in enumerate(names):
        check_text(f"{field}[{index}]", name, characters)


def check_cache(cache: CacheControl) -> None:
    """What becomes of the cache of answers."""
    if not isinstance(cache, CacheControl):
        raise InvalidRequestError("cache", cache, "wishes about the cache")
    check_word("cache.mode", cache.mode, CacheMode)
    check_flag("cache.any_sampling", cache.any_sampling)
    check_count("cache.ttl", cache.ttl, 0, UINT32)


def check_priority(priority: Priority) -> None:
    """A known priority."""
    check_word("priority", priority, Priority)


def check_template_use(use: TemplateUse) -> None:
    """A template's id and its variables; the template itself says which it needs."""
    if not isinstance(use, TemplateUse):
        raise InvalidRequestError("template", use, "a template and its variables")
    check_text("template.id", use.id, MAX_MODEL_ID)
    check_texts("template.variables", use.variables, MAX_VARIABLES, MAX_TEXT)
