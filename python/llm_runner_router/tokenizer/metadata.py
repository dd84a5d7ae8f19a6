"""Typed reading of GGUF metadata, which is hostile until proven otherwise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard

from llm_runner_router.tokenizer.errors import TokenizerError

MetadataValue: TypeAlias = "bool | int | float | str | Sequence[MetadataValue]"
Metadata: TypeAlias = Mapping[str, MetadataValue]

# Writers that have no such token store -1, which an unsigned field turns into this.
_NO_TOKEN = (-1, 0xFFFFFFFF)


class MetadataReader:
    """Reads keys of one mapping; every surprise is a TokenizerError that names the key."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    def text(self, key: str, default: str | None = None) -> str:
        """A string without lone surrogates; ``default`` where the key is missing."""
        value = self._get(key, default)
        if not isinstance(value, str) or not is_unicode(value):
            raise TokenizerError(key, value, "a string of valid Unicode")
        return value

    def boolean(self, key: str) -> bool | None:
        """A boolean, or None where the key is missing."""
        value = self._metadata.get(key)
        if value is not None and not isinstance(value, bool):
            raise TokenizerError(key, value, "true or false")
        return value

    def token_id(self, key: str, vocab_size: int) -> int | None:
        """A token id below ``vocab_size``; None where the key is missing or says "none"."""
        value = self._metadata.get(key)
        if value is None:
            return None
        if not _is_integer(value):
            raise TokenizerError(key, value, f"a token id from 0 to {vocab_size - 1}")
        if value in _NO_TOKEN:
            return None
        if not 0 <= value < vocab_size:
            raise TokenizerError(key, value, f"a token id from 0 to {vocab_size - 1}")
        return value

    def texts(self, key: str, limit: int) -> list[str]:
        """An array of at most ``limit`` strings."""
        values = self._array(key, limit)
        strings = [value for value in values if isinstance(value, str) and is_unicode(value)]
        if len(strings) != len(values):
            raise TokenizerError(key, _first(values, str), "an array of strings of valid Unicode")
        return strings

    def numbers(self, key: str, length: int) -> list[float]:
        """An array of exactly ``length`` finite numbers."""
        values = self._sized(key, length)
        numbers = [float(value) for value in values if _is_finite(value)]
        if len(numbers) != length:
            raise TokenizerError(key, values[:4], f"an array of {length} finite numbers")
        return numbers

    def integers(self, key: str, length: int) -> list[int]:
        """An array of exactly ``length`` integers."""
        values = self._sized(key, length)
        integers = [value for value in values if _is_integer(value)]
        if len(integers) != length:
            raise TokenizerError(key, values[:4], f"an array of {length} integers")
        return integers

    def has(self, key: str) -> bool:
        """Whether the key is there."""
        return self._metadata.get(key) is not None

    def _sized(self, key: str, length: int) -> Sequence[MetadataValue]:
        values = self._array(key, length)
        if len(values) != length:
            raise TokenizerError(key, f"{len(values)} entries", f"one entry per token: {length}")
        return values

    def _array(self, key: str, limit: int) -> Sequence[MetadataValue]:
        value = self._get(key, None)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise TokenizerError(key, value, "an array")
        if len(value) > limit:
            raise TokenizerError(key, f"{len(value)} entries", f"at most {limit} entries")
        return value

    def _get(self, key: str, default: MetadataValue | None) -> MetadataValue:
        value = self._metadata.get(key, default)
        if value is None:
            raise TokenizerError(key, None, "the key has to be there")
        return value


def is_unicode(text: str) -> bool:
    """Whether ``text`` has no lone surrogate, so that it can be written as UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_integer(value: MetadataValue) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_finite(value: MetadataValue) -> TypeGuard[int | float]:
    # The bound keeps float() from overflowing on an integer that no GGUF number type can hold.
    if _is_integer(value):
        return abs(value) < 1 << 64
    return isinstance(value, float) and math.isfinite(value)


def _first(values: Sequence[MetadataValue], kind: type) -> MetadataValue:
    odd = (value for value in values if not isinstance(value, kind) or not is_unicode(str(value)))
    return next(odd, "")
