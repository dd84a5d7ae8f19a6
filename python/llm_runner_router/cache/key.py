"""Under which key an answer is kept, and whose answer would be the same a second time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import Routing
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat, Request

FORMAT = 1
"""Raised when what is kept changes its meaning, so that a shared Redis never mixes versions."""

IGNORED_OF_REQUEST: Mapping[str, str] = {
    "priority": "says when the answer is computed, not what it says",
    "cache": "says what is done with the cache; the answer is the same",
}
"""Fields that do not shape the answer, and why."""

IGNORED_OF_ROUTING: Mapping[str, str] = {
    "max_attempts": "says how often it is tried; a failure is not kept",
    "first_token_timeout_ms": "says how long one model is waited for; a failure is not kept",
    "hedge": "asks a second of the candidates, which are in the key, at the same time",
}
"""Fields of ``routing`` that do not shape the answer. Those that choose the model do."""

SHAPING_OF_REQUEST = frozenset(
    {
        "prompt",
        "raw",
        "messages",
        "model",
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "seed",
        "stop",
        "repeat_penalty",
        "frequency_penalty",
        "presence_penalty",
        "logprobs",
        "prompt_logprobs",
        "logit_bias",
        "ignore_eos",
        "metadata",  # the rules of an alias read it, and a provider may be told it
        "tools",
        "tool_choice",
        "response_format",
        "provider_options",
        "routing",
        "template",
    }
)
"""Fields that are part of the key. A test sees to it that every field is on one list."""

SHAPING_OF_ROUTING = frozenset(
    {"strategy", "requirements", "fallbacks", "fallback_to_capable", "affinity"}
)
"""Fields of ``routing`` that are part of the key."""


def cache_key(request: Request, candidates: Sequence[ModelRecord]) -> str:
    """The same for two requests whose answers may be exchanged, and for no others.

    ``candidates`` are the models that may answer, in any order: their etags stand for what is
    configured about them. InvalidRequestError where ``provider_options`` is not JSON.
    """
    models = sorted((record.id, record.etag) for record in candidates)
    try:
        shaping = {name: canonical(getattr(request, name)) for name in SHAPING_OF_REQUEST}
        text = json.dumps([FORMAT, models, shaping], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        options = request.provider_options
        raise InvalidRequestError("provider_options", options, "values of JSON") from None
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def canonical(value: object) -> object:
    """``value`` as JSON, so that equal values give equal texts and others never do.

    Mappings become sorted pairs: their keys may be numbers, and 1 is not "1".
    """
    if isinstance(value, Routing):
        return {name: canonical(getattr(value, name)) for name in SHAPING_OF_ROUTING}
    if is_dataclass(value):
        return {field.name: canonical(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        pairs = [[json.dumps(key), canonical(item)] for key, item in value.items()]
        return {"pairs": sorted(pairs, key=lambda pair: str(pair[0]))}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [canonical(item) for item in value]
    return value


def deterministic(request: Request, candidates: Sequence[ModelRecord]) -> bool:
    """Whether every model that may answer would give the same answer a second time.

    A fixed seed is enough for models that run here; providers promise nothing for theirs.
    """
    return bool(candidates) and all(greedy(request, record) for record in candidates)


def greedy(request: Request, record: ModelRecord) -> bool:
    """Whether this model answers the request the same each time."""
    config = record.config
    temperature = config.temperature if request.temperature is None else request.temperature
    top_k = config.top_k if request.top_k is None else request.top_k
    if temperature == 0 or top_k == 1:
        return True
    return request.seed is not None and record.format is ModelFormat.GGUF
