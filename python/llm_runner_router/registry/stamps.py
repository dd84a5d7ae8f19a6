"""What the store itself writes into records: etags and times."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate

R = TypeVar("R", bound=ModelRecord | Alias | PromptTemplate)


@dataclass(frozen=True, slots=True)
class Stamper:
    """``clock`` tells seconds since 1970."""

    clock: Callable[[], float]

    def stamped(self, record: R, present: R | None) -> R:
        """``record`` with a new etag; a model also with its times, where ``present`` was before."""
        etag = secrets.token_hex(8)
        if not isinstance(record, ModelRecord):
            return replace(record, etag=etag)
        now = self.clock()
        created = present.created if isinstance(present, ModelRecord) else now
        return replace(record, etag=etag, created=created, updated=now)


def unstamped(record: R) -> R:
    """``record`` without what the store writes into it."""
    if isinstance(record, ModelRecord):
        return replace(record, etag="", created=0.0, updated=0.0)
    return replace(record, etag="")
