"""What is wrong with a configuration file, in one of its places."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from llm_runner_router.config.json_positions import Position
from llm_runner_router.errors import shorten


@dataclass(frozen=True, slots=True, order=True)
class ConfigProblem:
    """One thing that is wrong.

    ``key`` is a path such as ``performance.maxConcurrent``, empty where it is the file itself;
    ``value`` is what stands there (``…`` where it may be a secret), ``allowed`` what may, and
    ``suggestion`` what to do, where that can be told.
    """

    line: int
    column: int
    key: str
    message: str
    value: Any = None
    allowed: str = ""
    suggestion: str = ""

    @property
    def text(self) -> str:
        """All of it in a line."""
        start = f"{self.key}: " if self.key else ""
        end = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.line}:{self.column}: {start}{self.message}{end}"


def wrong_value(
    position: Position, key: str, value: object, allowed: str, suggestion: str = ""
) -> ConfigProblem:
    """The problem of a value that is not allowed."""
    word = json.dumps(value) if value is None or isinstance(value, bool) else shorten(value)
    message = f"{word} is not allowed; allowed: {allowed}"
    return ConfigProblem(position.line, position.column, key, message, value, allowed, suggestion)


def wrong_key(
    position: Position, key: str, message: str, allowed: str, suggestion: str = ""
) -> ConfigProblem:
    """The problem of a key that is not allowed there. Its value is never shown."""
    return ConfigProblem(
        position.line, position.column, key, message, allowed=allowed, suggestion=suggestion
    )
