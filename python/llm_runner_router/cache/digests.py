"""What stands for the content of a record in keys."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.cache.canonical import canonical
from llm_runner_router.registry.origin import origin
from llm_runner_router.registry.records import Alias, ModelRecord
from llm_runner_router.registry.stamps import unstamped
from llm_runner_router.types import ModelFormat

Locate = Callable[[ModelRecord], Sequence[Path]]
Running = Callable[[ModelRecord], ModelRecord]

CAPACITY = 10_000
"""Digests that are remembered."""


def at_its_source(record: ModelRecord) -> Sequence[Path]:
    """Where the file of a model lies whose source is a path."""
    return (Path(record.source),)


def itself(record: ModelRecord) -> ModelRecord:
    """What runs for a model whose record has not changed since."""
    return record


@dataclass(frozen=True, slots=True)
class Known:
    """The digest of a record, made while its model answered as ``running`` from ``files``.

    ``running`` is ``None`` for an alias.
    """

    record: ModelRecord | Alias
    running: ModelRecord | None
    files: Sequence[Mapping[str, int]]
    digest: str


class Digests:
    """Digests of records, each made once: the store replaces a record, it never changes one.

    ``locate`` tells where the files of a model lie, as far as they are known, and ``running`` as
    which record it answers now.
    """

    def __init__(self, locate: Locate = at_its_source, running: Running = itself) -> None:
        self._locate = locate
        self._running = running
        self._known: dict[tuple[type, str], Known] = {}

    def of(self, record: ModelRecord | Alias) -> str:
        """The same in every service for models that answer alike and aliases that decide alike.

        What the store writes into it, an etag and times, does not count. Of a model's files their
        sizes and times do, so that others at the same places are another model; so is one that
        still runs as it was loaded: of an earlier source, with an earlier template, or from files
        that others have replaced.
        """
        running = self._running(record) if isinstance(record, ModelRecord) else None
        known = self._known.get((type(record), record.id))
        if known is None or known.running is not running:
            return self._made(record, running, self._versions(running))
        if known.record is not record:
            # What runs has been read: other files that lie there by now are for its next load.
            return self._made(record, running, known.files)
        return known.digest

    def _made(
        self,
        record: ModelRecord | Alias,
        running: ModelRecord | None,
        files: Sequence[Mapping[str, int]],
    ) -> str:
        """The digest of all that, which is known from now on."""
        runs = None if running is None else origin(running)
        content = [canonical(unstamped(record)), canonical(runs), files]
        known = Known(record, running, files, digest(content))
        if len(self._known) >= CAPACITY:
            self._known.clear()
        self._known[type(record), record.id] = known
        return known.digest

    def _versions(self, record: ModelRecord | None) -> Sequence[Mapping[str, int]]:
        """What tells its files from those that lay there before; empty where there are none."""
        if record is None or record.format is ModelFormat.API:
            return []
        try:
            return [version(path) for path in self._locate(record)]
        except (OSError, ValueError):
            return []


def version(path: Path) -> Mapping[str, int]:
    """What tells a file from the one that lay there before. OSError, ValueError: there is none."""
    found = path.stat()
    return {"bytes": found.st_size, "nanoseconds": found.st_mtime_ns}


def digest(content: object) -> str:
    """A digest of JSON. What an operator has set that is none counts by its repr."""
    text = json.dumps(content, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
