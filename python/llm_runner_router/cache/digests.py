"""What stands for the content of a record in keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from llm_runner_router.cache.canonical import canonical
from llm_runner_router.registry.records import Alias, ModelRecord
from llm_runner_router.registry.stamps import unstamped
from llm_runner_router.types import ModelFormat

Locate = Callable[[ModelRecord], Path | None]

CAPACITY = 10_000
"""Digests that are remembered."""


def at_its_source(record: ModelRecord) -> Path:
    """Where the file of a model lies whose source is a path."""
    return Path(record.source)


class Digests:
    """Digests of records, each made once: the store replaces a record, it never changes one.

    ``locate`` tells where the file of a model lies, as far as it is known.
    """

    def __init__(self, locate: Locate = at_its_source) -> None:
        self._locate = locate
        self._known: dict[tuple[type, str], tuple[ModelRecord | Alias, str]] = {}

    def of(self, record: ModelRecord | Alias) -> str:
        """The same in every service for models that answer alike and aliases that decide alike.

        What the store writes into it, an etag and times, does not count. Of a model's file its size
        and its time do, so that another one at the same place is another model.
        """
        place = type(record), record.id
        known = self._known.get(place)
        if known is not None and known[0] is record:
            return known[1]
        if len(self._known) >= CAPACITY:
            self._known.clear()
        if isinstance(record, ModelRecord):
            made = digest([canonical(unstamped(record)), self._file_version(record)])
        else:
            made = digest([canonical(unstamped(record)), None])
        self._known[place] = record, made
        return made

    def _file_version(self, record: ModelRecord) -> Mapping[str, int] | None:
        """What tells a file from the one that lay there before; ``None`` where there is none."""
        if record.format is ModelFormat.API:
            return None
        path = self._locate(record)
        try:
            found = None if path is None else path.stat()
        except (OSError, ValueError):
            return None
        if found is None:
            return None
        return {"bytes": found.st_size, "nanoseconds": found.st_mtime_ns}


def digest(content: object) -> str:
    """A digest of JSON. What an operator has set that is none counts by its repr."""
    text = json.dumps(content, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
