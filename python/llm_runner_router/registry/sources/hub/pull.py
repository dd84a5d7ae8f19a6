"""One model of the hub on its way into the cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.errors import SourceError, shorten
from llm_runner_router.registry.sources.disk import check_room, disk_errors
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.hub.api import HubApi, HubRepository
from llm_runner_router.registry.sources.hub.cache import HubCache
from llm_runner_router.registry.sources.hub.content import check_content, digest_of
from llm_runner_router.registry.sources.hub.files import HubFile
from llm_runner_router.registry.sources.source import HubSource
from llm_runner_router.registry.sources.threads import in_thread
from llm_runner_router.registry.sources.web.download import Downloader
from llm_runner_router.registry.sources.web.missing import missing_bytes, size_of
from llm_runner_router.registry.sources.web.target_lock import target_lock
from llm_runner_router.registry.sources.web.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class HubPull:
    """The ``files`` of a model at one commit, brought into ``ours`` unless ``theirs`` has them.

    ``check`` looks at each before it gets its name, and raises where it is of another kind.
    """

    source: HubSource
    repository: HubRepository
    files: tuple[HubFile, ...]
    ours: HubCache
    theirs: HubCache
    check: Callable[[Path], None]

    @property
    def path(self) -> Path:
        """Where the model, or its first shard, lies in the end."""
        return self.ours.path(self.repository.commit, self.files[0].name)

    async def run(self, api: HubApi, downloader: Downloader, listener: ProgressListener) -> None:
        """Contents first, then their names, and last what the revision is.

        Whatever ends this leaves names of whole files only.
        """
        totals = Totals(
            listener, files=len(self.files), total=sum(file.size for file in self.files)
        )
        contents: dict[HubFile, Path] = {}
        missing = []
        for file in self.files:
            found = await self._content(file, totals)
            if found is None:
                missing.append(file)
            else:
                contents[file] = found
                totals.add(file.size)
        if missing:
            await self._check(missing, api)
            headers = await asyncio.to_thread(api.headers, self.source)
            for file in missing:
                url = await asyncio.to_thread(api.url, self.source, self.repository.commit, file)
                contents[file] = await self._download(file, url, headers, downloader, totals)
                totals.add(file.size)
        await self._place(contents)

    async def _content(self, file: HubFile, totals: Totals) -> Path | None:
        """Where the content of a file is already; theirs is verified, since it came unseen."""
        ours = self.ours.blob_path(file)
        if size_of(ours) == file.size:
            return ours
        commit = self.repository.commit
        for theirs in (self.theirs.path(commit, file.name), self.theirs.blob_path(file)):
            if size_of(theirs) == file.size:
                digest = await digest_of(theirs, file, totals.of_next(file.name))
                if digest == file.blob:
                    return theirs
        return None

    async def _check(self, missing: list[HubFile], api: HubApi) -> None:
        """Whether what is missing may be had, and has room."""
        await asyncio.to_thread(api.check_access, self.source, self.repository.commit, missing[0])
        folder = self.ours.blob_path(missing[0]).parent
        with disk_errors(folder):
            await in_thread(folder.mkdir, parents=True, exist_ok=True)
            await in_thread(
                lambda: check_room(
                    folder,
                    sum(missing_bytes(self.ours.blob_path(file), file.size) for file in missing),
                )
            )

    async def _download(
        self,
        file: HubFile,
        url: str,
        headers: Mapping[str, str],
        downloader: Downloader,
        totals: Totals,
    ) -> Path:
        def check(path: Path) -> None:
            self.check(path)
            if file.sha256 is None:
                check_content(path, file)

        try:
            return await downloader.fetch(
                url,
                self.ours.blob_path(file),
                size=file.size,
                sha256=file.sha256,
                headers=headers,
                on_progress=totals.of_next(file.name),
                check=check,
            )
        except SourceError as error:
            name = f"hf://{self.source.repo_id}: {shorten(file.name, 200)}"
            raise SourceError(f"{name}: {error.message}") from None

    async def _place(self, contents: Mapping[HubFile, Path]) -> None:
        with disk_errors(self.ours.folder):
            await in_thread(self.ours.folder.mkdir, parents=True, exist_ok=True)
            async with target_lock(self.ours.folder / "snapshots"):
                await in_thread(self._link, contents)

    def _link(self, contents: Mapping[HubFile, Path]) -> None:
        commit = self.repository.commit
        for file, content in contents.items():
            self.ours.link(commit, file, content)
        self.ours.remember(commit, self.source.revision, self.repository.files)
