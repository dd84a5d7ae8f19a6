"""Models of the Hugging Face hub: ``hf://org/repo[@revision][/file.gguf | :TAG | /TAG]``.

They lie in ``<cache>/huggingface``, in the layout of the hub's own cache, so that its library finds
them there too. What lies in the user's cache of that library is used where it lies.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.hub.api import HubApi
from llm_runner_router.registry.sources.hub.cache import HubCache
from llm_runner_router.registry.sources.hub.cached_model import CachedModel
from llm_runner_router.registry.sources.hub.choice import WEIGHTS, HubChoice
from llm_runner_router.registry.sources.hub.errors import offline
from llm_runner_router.registry.sources.hub.pull import HubPull
from llm_runner_router.registry.sources.hub.settings import hub_settings
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source import HubSource
from llm_runner_router.registry.sources.web.download import Downloader

FOLDER = "huggingface"


class HubFetcher:
    """See Fetcher. ``cache`` is the folder of downloads; ``environment`` is read at each call.

    ``choice`` says which files of a repository are a model.
    """

    def __init__(
        self,
        downloader: Downloader,
        cache: Path,
        environment: Mapping[str, str] = os.environ,
        choice: HubChoice = WEIGHTS,
    ) -> None:
        self._choice = choice
        self._downloader = downloader
        self._folder = cache / FOLDER
        self._environment = environment

    async def fetch(self, source: HubSource, on_progress: ProgressListener) -> PulledModel:
        """The model as its revision has it now; with HF_HUB_OFFLINE, what is here."""
        on_progress(PullProgress("resolving"))
        settings = hub_settings(self._environment)
        if settings.offline:
            return await self._fetch_offline(source, on_progress)
        api = HubApi(settings.endpoint)
        repository = await asyncio.to_thread(api.repository, source)
        files = self._choice.files(repository.files, source)
        pull = HubPull(
            source=source,
            repository=repository,
            files=files,
            ours=HubCache(self._folder, source.repo_id),
            theirs=HubCache(settings.cache, source.repo_id),
            check=self._choice.check,
        )
        await pull.run(api, self._downloader, on_progress)
        return await asyncio.to_thread(self._pulled, pull.path)

    async def _fetch_offline(self, source: HubSource, on_progress: ProgressListener) -> PulledModel:
        """What is here. What others have brought here is verified, as it is online."""
        found = await asyncio.to_thread(self._found, source)
        if found is None:
            raise offline(source)
        try:
            notes = await found.verify(on_progress, self._folder)
        except SourceError as error:
            raise SourceError(f"hf://{source.repo_id}: {error.message}") from None
        return replace(await asyncio.to_thread(self._pulled, found.path), notes=tuple(notes))

    def find(self, source: HubSource) -> PulledModel | None:
        """What was pulled last, else what the user's own cache has; it is not verified.

        Of several that might be meant, the one that the listing of the hub would have chosen; of a
        cache without a listing, of those that are there.
        """
        found = self._found(source)
        return None if found is None else self._pulled(found.path)

    def _found(self, source: HubSource) -> CachedModel | None:
        for folder in (self._folder, hub_settings(self._environment).cache):
            cache = HubCache(folder, source.repo_id, self._choice.counts)
            commit = cache.commit(source.revision)
            if commit is None:
                continue
            try:
                files = self._choice.files(cache.files(commit), source)
            except SourceError:
                continue
            if all(cache.holds(commit, file) for file in files):
                return CachedModel(cache, commit, files)
        return None

    def _pulled(self, path: Path) -> PulledModel:
        ours = path.resolve().is_relative_to(self._folder.resolve())
        return PulledModel(path, in_place=not ours)
