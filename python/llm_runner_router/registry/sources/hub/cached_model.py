"""A model that lies in a cache of the hub, whoever has brought it there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.errors import SourceError, shorten
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.hub.cache import BLOB, HubCache
from llm_runner_router.registry.sources.hub.content import check_digest, digest_of
from llm_runner_router.registry.sources.hub.files import HubFile
from llm_runner_router.registry.sources.web.totals import Totals


@dataclass(frozen=True, slots=True)
class CachedModel:
    """All ``files`` of a model at one commit, the one to load first."""

    cache: HubCache
    commit: str
    files: tuple[HubFile, ...]

    @property
    def path(self) -> Path:
        """The model, or its first shard."""
        return self.cache.path(self.commit, self.files[0].name)

    async def verify(self, on_progress: ProgressListener, ours: Path) -> Sequence[str]:
        """Read the files that do not lie below ``ours``, whatever links lead to them.

        SourceError names the first that has another digest than it should. Notes in words on those
        whose digest is not known.
        """
        files = await asyncio.to_thread(self._outside, ours)
        totals = Totals(on_progress, files=len(files), total=sum(file.size for file in files))
        notes = []
        for file in files:
            name, listener = shorten(file.name, 200), totals.of_next(file.name)
            if BLOB.fullmatch(file.blob):
                await self._verify(file, name, listener)
            else:
                notes.append(f"{name} is not verified: the cache of the hub has no digest of it")
            totals.add(file.size)
        return notes

    def _outside(self, folder: Path) -> Sequence[HubFile]:
        real = folder.resolve()
        paths = {file: self.cache.path(self.commit, file.name).resolve() for file in self.files}
        return [file for file, path in paths.items() if not path.is_relative_to(real)]

    async def _verify(self, file: HubFile, name: str, listener: ProgressListener) -> None:
        path = self.cache.path(self.commit, file.name)
        try:
            check_digest(await digest_of(path, file, listener), file)
        except SourceError as error:
            where = shorten(str(await asyncio.to_thread(path.resolve)), 300)
            raise SourceError(f"{name} ({where}): {error.message}") from None
        except OSError as error:
            why = error.strerror or "cannot be read"
            raise SourceError(f"{name}: {why}") from None
