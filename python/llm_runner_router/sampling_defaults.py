"""The sampling defaults of a model, under what a request says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from llm_runner_router.registry.records import ModelConfig, ModelLimits, ModelRecord
from llm_runner_router.types import Message, Request, Role

SAMPLING_DEFAULTS = tuple(
    sorted(
        {field.name for field in fields(ModelConfig)} & {field.name for field in fields(Request)}
    )
)


def with_defaults(request: Request, record: ModelRecord) -> Request:
    """``request`` with the model's values where it says nothing.

    The model's system message begins a conversation that has none; a raw prompt stays untouched.
    """
    defaults = record.config
    changes: dict[str, Any] = {
        name: value
        for name in SAMPLING_DEFAULTS
        if (value := getattr(defaults, name)) not in (None, ())
        and getattr(request, name) in (None, ())
    }
    changes |= limited(request, record.limits, changes)
    changes |= introduced(request, defaults.system)
    return replace(request, **changes) if changes else request


def limited(request: Request, limits: ModelLimits, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The longest answer, of a request that asks for none or is given a longer one."""
    if limits.max_tokens is None or request.max_tokens is not None:
        return {}
    return {"max_tokens": min(changes.get("max_tokens") or limits.max_tokens, limits.max_tokens)}


def introduced(request: Request, system: str | None) -> Mapping[str, Any]:
    """The messages behind the system message; nothing where there is none to add."""
    if not system or request.raw:
        return {}
    if any(message.role is Role.SYSTEM for message in request.messages):
        return {}
    first = Message(Role.SYSTEM, system)
    if request.prompt is None:
        return {"messages": (first, *request.messages)}
    return {"prompt": None, "messages": (first, Message(Role.USER, request.prompt))}
