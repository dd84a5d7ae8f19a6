"""The names of a request's fields in every spelling that there was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import hidden
from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.request_values import snake

STREAMING = "streaming"

OLD_NAMES: Mapping[str, str] = {"input": "prompt", "model_id": "model", "stream": STREAMING}
"""What the fields of v1.0 are called now; all others are called as they were."""


def present_names(values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` under today's names; those of older versions warn."""
    renamed, old = renamed_fields(values)
    for name in old:
        warn_old(name, OLD_NAMES[snake(name)])
    return renamed


def renamed_fields(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """``values`` under today's names in snake_case, and which of their names were old.

    InvalidRequestError where two names of one field say different things.
    """
    found: dict[str, Any] = {}
    origins: dict[str, str] = {}
    old: list[str] = []
    for key, value in values.items():
        if not isinstance(key, str):
            raise InvalidRequestError("request key", key, "the name of a field")
        spelled = snake(key) if key[:1].islower() else key
        name = OLD_NAMES.get(spelled, spelled)
        if spelled in OLD_NAMES:
            old.append(key)
        if found.get(name) is not None and value is not None and found[name] != value:
            allowed = f"the same as {origins[name]}, or one of them alone"
            raise InvalidRequestError(key, hidden(value), allowed)
        if found.get(name) is None:
            found[name], origins[name] = value, key
    return found, old
