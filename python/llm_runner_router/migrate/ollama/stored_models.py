"""Models that lie in a store of Ollama on this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from llm_runner_router.config.tree import EngineConfig
from llm_runner_router.errors import RouterError, SourceError, UnsupportedError
from llm_runner_router.inspection.faults import TEMPLATE_KEY
from llm_runner_router.inspection.inspecting import Load, inspect
from llm_runner_router.migrate.ollama.labels import OF_CONFIGURATION, labels_of
from llm_runner_router.migrate.ollama.model import FoundModel, Model, RefusedModel, Way
from llm_runner_router.migrate.ollama.stored_names import stored_names
from llm_runner_router.providers.local_model import LocalOptions, estimate
from llm_runner_router.providers.local_service import LocalService
from llm_runner_router.registry.checks.model import checked_record
from llm_runner_router.registry.records import DEFAULT_CAPABILITIES, ModelRecord
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.ollama.fetcher import pulled, verify
from llm_runner_router.registry.sources.ollama.manifest import (
    OllamaManifest,
    json_object,
    parsed_manifest,
)
from llm_runner_router.registry.sources.ollama.name import OllamaName
from llm_runner_router.registry.sources.ollama.store import MAX_TEXT_BYTES, OllamaStore
from llm_runner_router.registry.sources.ollama.texts import files_of
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source_settings import followed
from llm_runner_router.types import ModelFormat

TEMPLATE_FAULT = f"{TEMPLATE_KEY}:"

ADAPTER_LOST = (
    "it has an adapter, which would be lost: a model of a store that services do not read is "
    "registered by the path of its weights alone. Let OLLAMA_MODELS name this store, here and for "
    "the service"
)

USES_TOOLS = b".Tools"
"""What the template of a model that can call tools names."""


class StoredModels:
    """Belongs to one event loop. Reads the store and writes nothing.

    ``usual``: it is the store that services read, and models are named as Ollama names them; else
    by the paths of their weights. ``on_progress`` hears of weights being verified, which takes
    long: those of models that are ``settled``, by their names, are not read again.
    """

    def __init__(
        self,
        folder: Path,
        on_progress: ProgressListener,
        *,
        usual: bool,
        settled: Collection[str] = (),
    ) -> None:
        self._store = OllamaStore(folder)
        self._on_progress = on_progress
        self._usual = usual
        self._settled = settled
        self._verified: set[str] = set()

    async def all(self) -> AsyncIterator[Model]:
        """Every model of the store. SourceError where there is no store."""
        for name in await asyncio.to_thread(stored_names, self._store):
            yield name if isinstance(name, RefusedModel) else await self.model(name)

    async def model(self, name: OllamaName) -> Model:
        """One model, if it can be run here on the file that lies there."""
        try:
            return await self.found(name)
        except RouterError as error:
            return RefusedModel(name.short, error.message)

    def manifest(self, name: OllamaName) -> bytes | None:
        """The manifest of a model, if it lies here and can be read; blocks."""
        try:
            return self._store.manifest(name)
        except SourceError:
            return None

    async def found(self, name: OllamaName) -> FoundModel:
        """One model. RouterError where its files are damaged, or of a kind that is not run here."""
        data = await asyncio.to_thread(self._store.manifest, name)
        if data is None:
            raise SourceError("its manifest is not there any more")
        manifest = parsed_manifest(data, name.short)
        model = await asyncio.to_thread(pulled, self._store, name, data, in_place=True)
        if model.adapters and not self._usual:
            raise UnsupportedError(ADAPTER_LOST)
        if name.short not in self._settled:
            await self._verify(manifest)
        await asyncio.to_thread(check_runs, model)
        record = await asyncio.to_thread(self._record, name, manifest, model)
        return FoundModel(
            checked_record(record),
            Way.IN_PLACE,
            tuple(model.notes),
            model.path.absolute(),
            adapted=bool(model.adapters),
        )

    async def _verify(self, manifest: OllamaManifest) -> None:
        """Models share weights and adapters: each file is read once."""
        blobs = [blob for blob in files_of(manifest) if blob.sha256 not in self._verified]
        await verify(self._store, blobs, self._on_progress)
        self._verified.update(blob.sha256 for blob in blobs)

    def _record(
        self, name: OllamaName, manifest: OllamaManifest, model: PulledModel
    ) -> ModelRecord:
        tools = any(USES_TOOLS in self._store.text(one) for one in manifest.of_kind("template"))
        record = ModelRecord(
            id=name.short,
            name=name.short,
            format=ModelFormat.GGUF,
            source=f"ollama://{name.short}" if self._usual else str(model.path.absolute()),
            capabilities=(*DEFAULT_CAPABILITIES, *(("tools",) if tools else ())),
            labels=self._labels(manifest),
        )
        return followed(record, model.config).record

    def _labels(self, manifest: OllamaManifest) -> dict[str, str]:
        labels: dict[str, str] = {}
        for blob in manifest.of_kind("config"):
            fields = json_object(self._store.text(blob), "configuration", MAX_TEXT_BYTES)
            labels |= labels_of(fields, OF_CONFIGURATION)
        return labels


def check_runs(model: PulledModel) -> None:
    """UnsupportedError where the engine does not run such files; blocks, and reads headers."""
    report = inspect(model.path, Load())
    faults = [
        fault
        for fault in report.unsupported
        if model.config.chat_template is None or not fault.startswith(TEMPLATE_FAULT)
    ]
    if faults:
        raise UnsupportedError(f"it is not run here: {'; '.join(faults)}")
    if model.adapters:
        check_adapters(model)


def check_adapters(model: PulledModel) -> None:
    """UnsupportedError where the adapters are not such as the weights can have; see above."""
    options = LocalOptions(model.path, LocalService(EngineConfig()), max_sequences=1)
    try:
        estimate(options.with_adapters(model.adapters))
    except RouterError as error:
        raise UnsupportedError(f"it is not run here with its adapter: {error.message}") from None
