"""Models of Ollama: ``ollama://[host[:port]/][namespace/]name[:tag]``.

What Ollama itself has on this machine is used where it lies, and never written. All else comes from
the registry into ``<cache>/ollama``, in the layout of Ollama's own store.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from llm_runner_router.errors import ModelFileError, SourceError, UnsupportedError
from llm_runner_router.local_path import expanded
from llm_runner_router.providers.engine_threads import prepare_engine
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.digest import hashed
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.ollama.adapters import adapters_of
from llm_runner_router.registry.sources.ollama.manifest import OllamaBlob, parsed_manifest
from llm_runner_router.registry.sources.ollama.name import OllamaName
from llm_runner_router.registry.sources.ollama.parameters import with_trained_context
from llm_runner_router.registry.sources.ollama.pull import OllamaPull
from llm_runner_router.registry.sources.ollama.registry import OllamaRegistry
from llm_runner_router.registry.sources.ollama.store import OllamaStore
from llm_runner_router.registry.sources.ollama.texts import (
    OllamaTexts,
    files_of,
    weights_of,
)
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source import OllamaSource
from llm_runner_router.registry.sources.web.download import Downloader
from llm_runner_router.registry.sources.web.request import Sessions
from llm_runner_router.registry.sources.web.totals import Totals

FOLDER = "ollama"


class OllamaFetcher:
    """See Fetcher. ``cache`` is the folder of downloads.

    ``store`` is that of Ollama's own models; ``None``: OLLAMA_MODELS, else ``~/.ollama/models``.
    UnsupportedError for models whose weights are more than one GGUF file.
    """

    def __init__(
        self,
        downloader: Downloader,
        sessions: Sessions,
        cache: Path,
        store: Path | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._downloader = downloader
        self._sessions = sessions
        self._ours = OllamaStore(cache / FOLDER)
        self._store = store
        self._environment = environment

    async def fetch(self, source: OllamaSource, on_progress: ProgressListener) -> PulledModel:
        """Ollama's own model, verified, or that of the registry as its tag has it now."""
        on_progress(PullProgress("resolving"))
        with named(source):
            theirs = self._theirs()
            data = await asyncio.to_thread(theirs.manifest, source.name)
            if data is not None:
                model = await asyncio.to_thread(pulled, theirs, source.name, data, in_place=True)
                files = files_of(parsed_manifest(data, source.name.short))
                await verify(theirs, files, on_progress)
                return model
            registry = OllamaRegistry(self._sessions, source.name)
            pull = OllamaPull(registry, self._downloader, self._ours)
            data = await pull.run(source.name, on_progress)
            return await asyncio.to_thread(pulled, self._ours, source.name, data, in_place=False)

    def find(self, source: OllamaSource) -> PulledModel | None:
        """Ollama's own model, else one that was pulled; its files are not verified again."""
        with named(source):
            for store, in_place in ((self._theirs(), True), (self._ours, False)):
                data = store.manifest(source.name)
                if data is not None:
                    return pulled(store, source.name, data, in_place=in_place)
        return None

    def _theirs(self) -> OllamaStore:
        named = self._environment.get("OLLAMA_MODELS")
        return OllamaStore(expanded(self._store or named or "~/.ollama/models"))


@contextmanager
def named(source: OllamaSource) -> Iterator[None]:
    """Errors that say which model they are about."""
    try:
        yield
    except (ModelFileError, SourceError, UnsupportedError) as error:
        raise type(error)(f"{source.canonical}: {error.message}") from None


def pulled(store: OllamaStore, name: OllamaName, data: bytes, *, in_place: bool) -> PulledModel:
    """The model that a manifest describes; its files are there, with the sizes that it tells.

    Its context is no longer than the weights were made for: Ollama itself cuts it so.
    """
    manifest = parsed_manifest(data, name.short)
    texts = OllamaTexts(store, manifest)
    path, adapters = store.checked(weights_of(manifest)), adapters_of(store, manifest)
    config, notes = texts.config, texts.notes
    if config.context_length is not None:
        config, cut = with_trained_context(config, trained_context(path))
        notes = [*notes, *cut]
    return PulledModel(path, config, tuple(notes), in_place=in_place, adapters=adapters)


def trained_context(path: Path) -> int | None:
    """What the weights were made for, where the file says it and the engine is here to read it."""
    prepare_engine()
    try:
        headers = import_module("llm_runner_router.inspection.trained_context")
    except ImportError:
        return None
    found: int | None = headers.trained_context(path)
    return found


async def verify(
    store: OllamaStore, blobs: Sequence[OllamaBlob], on_progress: ProgressListener
) -> None:
    """ModelFileError unless each blob has the digest that it is named by."""
    totals = Totals(on_progress, files=len(blobs), total=sum(blob.size for blob in blobs))
    for blob in blobs:
        await verify_blob(store, blob, totals.of_next(blob.file_name))
        totals.add(blob.size)


async def verify_blob(store: OllamaStore, blob: OllamaBlob, on_progress: ProgressListener) -> None:
    """One of them; see ``verify``."""
    path = store.checked(blob)
    digest = await hashed(
        path,
        hashlib.sha256(),
        lambda done: on_progress(PullProgress("verifying", blob.file_name, done, blob.size)),
    )
    store.check_digest(blob, digest)
