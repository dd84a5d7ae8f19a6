"""Records of one kind, in memory."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Generic, TypeVar

from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate

R = TypeVar("R", ModelRecord, Alias, PromptTemplate)


class Collection(Generic[R]):
    """By id, and in the order of ids."""

    def __init__(self, records: dict[str, R]) -> None:
        self._records: dict[str, R] = records
        self._ids: list[str] | None = None

    def __len__(self) -> int:
        return len(self._records)

    def __contains__(self, name: str) -> bool:
        return name in self._records

    def get(self, name: str) -> R | None:
        """The record of that id, where there is one."""
        return self._records.get(name)

    def all(self) -> Sequence[R]:
        """All records in the order of their ids."""
        return [self._records[name] for name in self._ordered()]

    def page(self, after: str, limit: int) -> Sequence[R]:
        """At most ``limit`` records whose ids sort behind ``after``, in the order of ids."""
        ids = self._ordered()
        begin = bisect_right(ids, after)
        return [self._records[name] for name in ids[begin : begin + limit]]

    def put(self, record: R) -> None:
        """Add or replace a record."""
        if record.id not in self._records:
            self._ids = None
        self._records[record.id] = record

    def drop(self, name: str) -> None:
        """Forget a record, where there is one."""
        if self._records.pop(name, None) is not None:
            self._ids = None

    def _ordered(self) -> list[str]:
        if self._ids is None:
            self._ids = sorted(self._records)
        return self._ids
