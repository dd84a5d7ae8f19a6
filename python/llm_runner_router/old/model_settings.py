"""Values of a model's settings, which older versions took as texts too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_type_hints

from llm_runner_router.old.values import number
from llm_runner_router.registry.records import ModelConfig

HINTS = get_type_hints(ModelConfig)
NUMBERS: Mapping[str, type[int | float]] = {
    name: kind for name in HINTS for kind in (int, float) if HINTS[name] == kind | None
}
"""The settings that are numbers, whole or not."""


def meant(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value of a setting (in snake_case): a number where it is one in quotes."""
    kind = NUMBERS.get(name)
    return value if kind is None or not isinstance(value, str) else number(kind, value)
