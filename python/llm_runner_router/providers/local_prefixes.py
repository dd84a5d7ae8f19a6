"""The cached prefixes of a model in memory: from its snapshot when it comes, into it when it goes.

Nothing here fails a load or a shutdown: prefixes that are lost are computed again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router import _core
from llm_runner_router.providers.file_digests import FileStamp
from llm_runner_router.providers.kv_snapshots import KvSnapshot, KvSnapshots

USELESS = frozenset({"KV_SNAPSHOT_DAMAGED", "KV_SNAPSHOT_MISMATCH", "FILE_UNREADABLE"})
"""Reasons for which a snapshot will never be of use."""

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class LocalPrefixes:
    """An engine's prefixes and their snapshot. Its methods block.

    Models whose files have the same content share a snapshot, and each may change it.
    """

    engine: _core.Engine
    snapshots: KvSnapshots
    snapshot: KvSnapshot
    read: FileStamp | None = None
    """The file of the snapshot as it was when this engine took it in; ``None``: there was none."""

    def restore(self) -> None:
        """Bring back what was saved, if anything was."""
        self.read = stamp_of(self.snapshot.path)
        try:
            tokens = self.engine.restore_kv(self.snapshot.path, self.snapshot.key)
        except _core.CoreError as error:
            if error.reason in USELESS:
                self.snapshots.discard(self.snapshot, error.message)
            elif error.reason != "FILE_NOT_FOUND":
                logger.warning("cached prefixes were not restored: %s", error.message)
        else:
            logger.info("restored cached prefixes of %d tokens", tokens)

    def save(self) -> None:
        """Save what is cached, unless the model's files have changed under its hands.

        What another engine has saved meanwhile is taken in first, as far as there is room for it.
        """
        if not self.snapshot.current:
            logger.warning("cached prefixes are not saved: the model's file has changed")
            return
        path, key = self.snapshot.path, self.snapshot.key
        try:
            with self.snapshots.turn(self.snapshot):
                if stamp_of(path) != self.read:
                    self.restore()
                tokens = self.engine.save_kv(path, key, self.snapshots.limit_bytes)
            self.snapshots.trim()
        except (_core.CoreError, OSError) as error:
            logger.warning("cached prefixes were not saved: %s", error)
        else:
            logger.info("saved cached prefixes of %d tokens", tokens)


def stamps_of(files: Sequence[str]) -> list[FileStamp]:
    """The stamps of a model's files, taken before an engine opens them; none where one is gone."""
    try:
        return [FileStamp.of(Path(file)) for file in files]
    except OSError:
        return []


def stamp_of(path: Path) -> FileStamp | None:
    """The stamp of a file, ``None`` where there is none."""
    try:
        return FileStamp.of(path)
    except OSError:
        return None


def restored_prefixes(
    engine: _core.Engine,
    snapshots: KvSnapshots,
    stamps: Sequence[FileStamp],
    wanted: Callable[[], bool],
) -> LocalPrefixes | None:
    """The prefixes of an engine that was just loaded from the stamped files, restored.

    None where they cannot be kept: the folder cannot be used, the files have changed meanwhile, or
    nobody wants the model any more.
    """
    try:
        snapshots.open()
        snapshot = snapshots.find(stamps, build_files(), engine.kv_identity, wanted)
    except OSError as error:
        logger.warning("cached prefixes are not kept: %s", error)
        return None
    if snapshot is None or not stamps:
        return None
    prefixes = LocalPrefixes(engine, snapshots, snapshot)
    prefixes.restore()
    return prefixes


def build_files() -> list[Path]:
    """The files of the code that computes: the extension and the libraries beside it."""
    extension = Path(_core.__file__)
    return [extension, *extension.parent.glob("lib/*")]
