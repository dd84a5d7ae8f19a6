"""Models from web servers: ``https://host/path/file.gguf[#sha256=HEX]``.

They lie in ``<cache>/https/<host>/<fingerprint of the address>-<name of the file>``, the files of
a sharded set beside each other under the fingerprint of the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from yarl import URL

from llm_runner_router.errors import SourceError, UnavailableError, shorten
from llm_runner_router.registry.sources.disk import check_room, disk_errors
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.gguf_magic import check_gguf
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.shards import shard_names
from llm_runner_router.registry.sources.source import HttpsSource, fingerprint
from llm_runner_router.registry.sources.threads import in_thread
from llm_runner_router.registry.sources.web.download import Downloader
from llm_runner_router.registry.sources.web.missing import missing_bytes, size_of
from llm_runner_router.registry.sources.web.totals import Totals

UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
MAX_NAME = 120
FOLDER = "https"


class HttpsFetcher:
    """See Fetcher. ``cache`` is the folder of downloads."""

    def __init__(self, downloader: Downloader, cache: Path) -> None:
        self._downloader = downloader
        self._cache = cache

    async def fetch(self, source: HttpsSource, on_progress: ProgressListener) -> PulledModel:
        """A sha256 is that of the only file; those of a set are told by their sizes alone."""
        with named(source):
            return await self._fetch(source, on_progress)

    async def _fetch(self, source: HttpsSource, on_progress: ProgressListener) -> PulledModel:
        names = shard_names(source.url.name)
        paths = self._paths(source, names)
        files = {path: sibling(source.url, name) for path, name in zip(paths, names, strict=True)}
        total = await self._check_set(files) if len(files) > 1 else 0
        totals = Totals(on_progress, files=len(files), total=total)
        for path, url in files.items():
            listener = totals.of_next(url.name)
            await self._downloader.fetch(
                url, path, sha256=source.sha256, on_progress=listener, check=check_gguf
            )
            totals.add(path.stat().st_size)
        return PulledModel(paths[0])

    async def _check_set(self, files: Mapping[Path, URL]) -> int:
        """The bytes of all files of a set, 0 where nobody knows.

        Whether they are all there to be had, and have room here, is seen before the first comes.
        """
        total = missing = 0
        known = True
        for path, url in files.items():
            size = size_of(path)
            if size is None:
                size = await self._downloader.size(url)
                missing += missing_bytes(path, size or 0)
            known = known and size is not None
            total += size or 0
        folder = next(iter(files)).parent
        with disk_errors(folder):
            await in_thread(folder.mkdir, parents=True, exist_ok=True)
            await in_thread(check_room, folder, missing)
        return total if known else 0

    def find(self, source: HttpsSource) -> PulledModel | None:
        """All files of it, or nothing: each has its name only once it is whole."""
        paths = self._paths(source, shard_names(source.url.name))
        return PulledModel(paths[0]) if all(size_of(path) is not None for path in paths) else None

    def _paths(self, source: HttpsSource, names: tuple[str, ...]) -> list[Path]:
        host = UNSAFE.sub("_", source.url.authority).strip(".")
        folder = self._cache / FOLDER / host
        mark = fingerprint(f"{source.url}#{source.sha256 or ''}")
        return [folder / f"{mark}-{safe_name(name)}" for name in names]


@contextmanager
def named(source: HttpsSource) -> Iterator[None]:
    """Errors that say which file they are about, without its query."""
    try:
        yield
    except (SourceError, UnavailableError) as error:
        raise type(error)(f"{shorten(source.canonical, 200)}: {error.message}") from None


def safe_name(name: str) -> str:
    """A file's name that is like ``name``, short enough for what is written beside the file."""
    return UNSAFE.sub("_", name)[-MAX_NAME:]


def sibling(url: URL, name: str) -> URL:
    """The address of another file of the same folder, with the same query."""
    beside = url.with_name(name)
    query = url.raw_query_string
    return URL(f"{beside}?{query}", encoded=True) if query else beside
