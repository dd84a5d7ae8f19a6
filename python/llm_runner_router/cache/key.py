"""Under which key an answer is kept, and whose answer would be the same a second time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

from llm_runner_router.cache.canonical import canonical
from llm_runner_router.cache.digests import Digests
from llm_runner_router.candidates import Candidates
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat, Request

FORMAT = 2
"""Raised when what is kept changes its meaning, so that a shared Redis never mixes versions."""

IGNORED_OF_REQUEST: Mapping[str, str] = {
    "priority": "says when the answer is computed, not what it says",
    "cache": "says what is done with the cache; the answer is the same",
}
"""Fields that do not shape the answer, and why."""

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


def cache_key(request: Request, candidates: Candidates, digests: Digests) -> str:
    """The same for two requests whose answers may be exchanged, and for no others.

    Of the models that may answer and of the alias the content counts, not the version: services
    that share a store find each other's answers. InvalidRequestError where ``provider_options`` is
    not JSON.
    """
    try:
        shaping = {name: canonical(getattr(request, name)) for name in SHAPING_OF_REQUEST}
        text = json.dumps([FORMAT, choice(candidates, digests), shaping], sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        options = request.provider_options
        raise InvalidRequestError("provider_options", options, "values of JSON") from None
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()


def choice(candidates: Candidates, digests: Digests) -> object:
    """Who may answer and what chooses, as JSON. The order of the models does not count."""
    alias = candidates.alias
    return {
        "models": sorted(digests.of(record) for record in candidates.records),
        "fallbacks": list(candidates.fallbacks),
        "alias": None if alias is None else digests.of(alias),
        "strategy": candidates.strategy,
        "sticky": candidates.sticky,
    }


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
    seed = config.seed if request.seed is None else request.seed
    return seed is not None and record.format is ModelFormat.GGUF
