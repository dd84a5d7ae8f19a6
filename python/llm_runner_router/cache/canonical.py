"""One form for values that mean the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass

from llm_runner_router.preferences import Routing

IGNORED_OF_ROUTING: Mapping[str, str] = {
    "max_attempts": "says how often it is tried; a failure is not kept",
    "first_token_timeout_ms": "says how long one model is waited for; a failure is not kept",
    "hedge": "asks a second of the candidates, which are in the key, at the same time",
}
"""Fields of ``routing`` that do not shape the answer. Those that choose the model do."""

SHAPING_OF_ROUTING = frozenset(
    {"strategy", "requirements", "fallbacks", "fallback_to_capable", "affinity"}
)
"""Fields of ``routing`` that are part of the key."""


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
