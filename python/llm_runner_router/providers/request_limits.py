"""Wishes of a request that a provider's API has nothing for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.types import Request


def refuse(request: Request, fields: Iterable[str], api: str) -> None:
    """UnsupportedError names the first of ``fields`` that the request sets; 0 counts as set."""
    for name in fields:
        if is_set(getattr(request, name)):
            raise UnsupportedError(f"{name}: {api} does not offer it")


def is_set(value: object) -> bool:
    """Whether a caller said anything."""
    if isinstance(value, Mapping | tuple | list):
        return len(value) > 0
    return value is not None and value is not False
