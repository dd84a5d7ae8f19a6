"""The sampling defaults of a model, under what a request says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.types import Request

SAMPLING_DEFAULTS = tuple(
    sorted(
        {field.name for field in fields(ModelConfig)} & {field.name for field in fields(Request)}
    )
)


def with_defaults(request: Request, defaults: ModelConfig) -> Request:
    """``request`` with the model's values where it says nothing."""
    changes: Mapping[str, Any] = {
        name: value
        for name in SAMPLING_DEFAULTS
        if (value := getattr(defaults, name)) not in (None, ())
        and getattr(request, name) in (None, ())
    }
    return replace(request, **changes) if changes else request
