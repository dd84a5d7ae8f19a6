"""The leaves of a JSON document, and how their places are written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


def leaves_of(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value of ``value`` that holds no other, with its path, such as ``models[0].name``.

    An empty object or list is a leaf.
    """
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves_of(inner, below(path, key))
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            yield from leaves_of(inner, f"{path}[{number}]")
    else:
        yield path, value


def leaf_paths(value: object, path: str = "") -> list[str]:
    """The paths alone."""
    return [leaf for leaf, _ in leaves_of(value, path)]


def below(path: str, inner: str) -> str:
    """The path of what stands at ``inner`` in the value at ``path``."""
    dot = "." if path and inner and not inner.startswith("[") else ""
    return f"{path}{dot}{inner}"


def same(one: object, other: object) -> bool:
    """Whether two values are written alike: ``1``, ``1.0`` and ``true`` differ, so do orders."""
    return json.dumps(one) == json.dumps(other)
