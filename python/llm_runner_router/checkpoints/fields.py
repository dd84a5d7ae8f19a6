"""Typed reading of config.json and its like."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from llm_runner_router.checkpoints.faults import damaged, unsupported

MOST = 1 << 31


class Fields:
    """The keys of one JSON object; ``file`` is told in errors. ``null`` is as if not there."""

    def __init__(self, file: str, values: Mapping[str, Any]) -> None:
        self.file = file
        self._values = values

    def has(self, key: str) -> bool:
        """Whether something is said."""
        return self._values.get(key) is not None

    def count(self, key: str, default: int | None = None, least: int = 1) -> int:
        """A whole number from ``least`` on; ModelFileError without it and a default."""
        value = self._get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < MOST:
            raise self.wrong(key, f"a whole number from {least} to {MOST - 1}")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """A finite number above 0."""
        value = self._get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, "a number above 0")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not 0.0 < number < math.inf:
            raise self.wrong(key, "a number above 0")
        return number

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def text(self, key: str, default: str | None = None) -> str:
        """A text of valid Unicode."""
        value = self._get(key, default)
        if not isinstance(value, str) or not is_unicode(value):
            raise self.wrong(key, "a text")
        return value

    def part(self, key: str) -> Fields:
        """An object below; empty where there is none."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "an object")
        return Fields(f"{self.file}: {key}", value)

    def raw(self, key: str) -> object:
        """Whatever is said."""
        return self._values.get(key)

    def require(self, key: str, default: object, *allowed: object) -> None:
        """UnsupportedError unless the value is one of ``allowed``."""
        value = self._get(key, default)
        if not any(type(value) is type(good) and value == good for good in allowed):
            named = ", ".join(str(good).lower() for good in allowed)
            raise unsupported(f"{self.file}: {key}", value, named)

    def wrong(self, key: str, allowed: str) -> Exception:
        """The error of a value that makes no sense."""
        shown = repr(self._values.get(key))[:100]
        return damaged(self.file, f"{key} is {shown}; allowed: {allowed}")

    def _get(self, key: str, default: object) -> object:
        value = self._values.get(key)
        return default if value is None else value


def is_unicode(text: str) -> bool:
    """Whether ``text`` has no lone surrogate, so that it can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
