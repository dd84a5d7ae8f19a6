"""One model of a registry on its way into a store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.disk import check_room, disk_errors
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.gguf_magic import check_gguf
from llm_runner_router.registry.sources.ollama.adapters import KIND as ADAPTER
from llm_runner_router.registry.sources.ollama.adapters import check_adapter
from llm_runner_router.registry.sources.ollama.manifest import (
    OllamaBlob,
    OllamaManifest,
    parsed_manifest,
)
from llm_runner_router.registry.sources.ollama.name import OllamaName
from llm_runner_router.registry.sources.ollama.registry import OllamaRegistry
from llm_runner_router.registry.sources.ollama.store import MAX_TEXT_BYTES, OllamaStore
from llm_runner_router.registry.sources.ollama.texts import (
    TEXT_KINDS,
    OllamaTexts,
    check_kinds,
    files_of,
)
from llm_runner_router.registry.sources.threads import in_thread
from llm_runner_router.registry.sources.web.download import Downloader
from llm_runner_router.registry.sources.web.missing import missing_bytes
from llm_runner_router.registry.sources.web.partial import replace_file, sync_folder
from llm_runner_router.registry.sources.web.target_lock import target_lock
from llm_runner_router.registry.sources.web.totals import Totals


@dataclass(frozen=True, slots=True)
class OllamaPull:
    """Brings the blobs that are needed, the small ones first, and then the manifest."""

    registry: OllamaRegistry
    downloader: Downloader
    store: OllamaStore

    async def run(self, name: OllamaName, listener: ProgressListener) -> bytes:
        """The manifest, once all that it needs lies in the store."""
        data = await self.registry.manifest()
        manifest = parsed_manifest(data, name.short)
        check_kinds(manifest)
        files = files_of(manifest)
        large = {blob.sha256 for blob in files}
        texts = [blob for blob in wanted_texts(manifest) if blob.sha256 not in large]
        blobs = [*texts, *files]
        await self._check_room(blobs)
        totals = Totals(listener, files=len(blobs), total=sum(blob.size for blob in blobs))
        for blob in texts:
            await self._bring(blob, totals)
        # What cannot be run is refused before its gigabytes come.
        await asyncio.to_thread(OllamaTexts, self.store, manifest)
        for blob in files:
            await self._bring(blob, totals)
        await self._write(name, data)
        return data

    async def _check_room(self, blobs: list[OllamaBlob]) -> None:
        folder = self.store.blobs
        with disk_errors(folder):
            await in_thread(folder.mkdir, parents=True, exist_ok=True)
            await in_thread(lambda: check_room(folder, sum(map(self._missing, blobs))))

    def _missing(self, blob: OllamaBlob) -> int:
        return missing_bytes(self.store.blob_path(blob), blob.size)

    async def _bring(self, blob: OllamaBlob, totals: Totals) -> None:
        listener = totals.of_next(blob.kind)
        try:
            await self._fetch(blob, listener)
        except SourceError as error:
            if not await self.registry.renewed():
                raise SourceError(f"{blob.kind} ({blob.digest}): {error.message}") from None
            await self._fetch(blob, listener)
        totals.add(blob.size)

    async def _fetch(self, blob: OllamaBlob, listener: ProgressListener) -> None:
        await self.downloader.fetch(
            self.registry.blob_url(blob),
            self.store.blob_path(blob),
            size=blob.size,
            sha256=blob.sha256,
            headers=self.registry.headers,
            on_progress=listener,
            check=check_of(blob),
        )

    async def _write(self, name: OllamaName, data: bytes) -> None:
        path = self.store.manifest_path(name)
        with disk_errors(path.parent):
            await in_thread(path.parent.mkdir, parents=True, exist_ok=True)
            async with target_lock(path):
                await in_thread(replace_file, path, data)
                await in_thread(sync_folder, path.parent)


def check_of(blob: OllamaBlob) -> Callable[[Path], None] | None:
    """What looks at the content of a blob before it gets its name; texts are read anyway."""
    if blob.kind == ADAPTER:
        return partial(check_adapter, blob=blob)
    return check_gguf if blob.kind == "model" else None


def wanted_texts(manifest: OllamaManifest) -> list[OllamaBlob]:
    """The small blobs, each once. SourceError for one that is not small."""
    texts = {blob.sha256: blob for blob in manifest.of_kind(*TEXT_KINDS)}
    for blob in texts.values():
        if blob.size > MAX_TEXT_BYTES:
            message = f"its {blob.kind} has {blob.size} bytes; allowed: at most {MAX_TEXT_BYTES}"
            raise SourceError(message)
    return list(texts.values())
