"""Downloading models, and registering what has come."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidRequestError,
    RouterError,
    shorten,
)
from llm_runner_router.registry.checks.model import MAX_LABELS, checked_record
from llm_runner_router.registry.records import ModelConfig, ModelRecord, PullProgress
from llm_runner_router.registry.sources.checkpoint.source import (
    AnySource,
    CheckpointSource,
    source_of,
)
from llm_runner_router.registry.sources.file import absolute_path
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import FileSource, OllamaSource, parse_source
from llm_runner_router.registry.sources.source_settings import Followed, followed, named
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat

Listener = Callable[[PullProgress], None]

SAYING = frozenset({OllamaSource.kind, CheckpointSource.kind})
"""The kinds of sources that say something of their models beside the weights."""

STAYS = "the record's stays"

logger = logging.getLogger(__name__)


def unheard(_: PullProgress) -> None:
    """For those who do not want to know."""


class Puller:
    """Belongs to one event loop. Relative paths start from ``folder``."""

    def __init__(self, store: RegistryStore, pulls: Pulls, folder: Path) -> None:
        self._store = store
        self._pulls = pulls
        self._folder = folder

    async def pull(self, source: str, model: str, on_progress: Listener | None) -> str:
        """Bring a model here and register it; its id.

        Without a source that of the registered model is pulled. AlreadyExistsError, before
        anything is downloaded, where the id is that of an alias or of a model with another source.
        """
        wanted = self._wanted(source, model)
        listener = on_progress or unheard
        origin = source_of(wanted)
        before = await asyncio.to_thread(self._version, origin)
        pulled = await self._pulls.pull(origin, listener)
        for note in pulled.notes:
            logger.warning("model %s: %s", wanted.id, note)
            listener(PullProgress("done", note=note))
        for name in named(await self._keep(wanted, pulled)):
            listener(
                PullProgress(
                    "done", note=f"{name} has changed at the source, and here too: {STAYS}"
                )
            )
        if before is not None and before != await asyncio.to_thread(self._version, origin):
            # Kept answers are those of the file before: the record is another one from now on.
            await self._store.update(wanted.id, lambda record: record, "")
        return wanted.id

    def _version(self, source: AnySource) -> tuple[object, ...] | None:
        """What tells the files of a source from those before; ``None`` where none are here."""
        try:
            found = self._pulls.find(source)
            return None if found is None else tuple(map(version, found.files))
        except (RouterError, OSError):
            return None

    async def completed(self, record: ModelRecord) -> ModelRecord:
        """``record`` with what its source says of it, as far as the source is here already."""
        if record.format is ModelFormat.API:
            return record
        source = source_of(record)
        if isinstance(source, FileSource):
            return record
        try:
            if isinstance(source, CheckpointSource) and isinstance(source.origin, FileSource):
                config, labels = await asyncio.to_thread(settings_of, source.origin.path)
                return with_labels(with_settings(record, config).record, labels)
            pulled = await asyncio.to_thread(self._pulls.find, source)
        except RouterError as error:  # what is damaged there shows when the model is loaded
            logger.warning("model %s: %s", record.id, error.message)
            return record
        return record if pulled is None else with_pulled(record, pulled).record

    async def brought(self, record: ModelRecord) -> ModelRecord:
        """The present record of a model whose files a load has brought, with what came along.

        A model that was forgotten meanwhile, or comes from elsewhere by now, gets nothing. Where
        the record cannot be stored, it is completed for this load alone.
        """
        source = source_of(record)
        pulled = await asyncio.to_thread(self._pulls.find, source)
        if pulled is None or record.id not in self._store:
            return record
        present = self._store.get(record.id)
        if present.format is not record.format or source_of(present) != source:
            return record
        completed = with_pulled(present, pulled).record
        if completed == present:
            return present
        try:
            return await self._store.update(
                record.id, lambda record: with_pulled(record, pulled).record, ""
            )
        except RouterError as error:  # the model can be used all the same
            logger.warning("model %s: its record stays as it was: %s", record.id, error.message)
            return completed

    def anchored(self, record: ModelRecord) -> ModelRecord:
        """``record`` with its path made absolute; other sources are checked and stay."""
        if record.format is ModelFormat.API:
            return record
        source = source_of(record)
        origin = source.origin if isinstance(source, CheckpointSource) else source
        if isinstance(origin, FileSource):
            return replace(record, source=str(absolute_path(record.source, self._folder)))
        return record

    def _wanted(self, source: str, model: str) -> ModelRecord:
        """The record that the pull is for: a registered one, or what will become one."""
        if not source:
            if not model:
                raise InvalidRequestError("source", source, "a source, or the id of a model")
            return self._pullable(self._store.get(model))
        record = ModelRecord(model or parse_source(source).default_id, "", ModelFormat.GGUF, source)
        record = self.anchored(checked_record(record))
        if self._store.alias(record.id) is not None:
            raise AlreadyExistsError(f"alias {shorten(record.id)} is registered already")
        if record.id in self._store:
            self._check_same(record)
        return record

    def _check_same(self, wanted: ModelRecord) -> None:
        """AlreadyExistsError where the registered model comes from elsewhere."""
        present = self._pullable(self._store.get(wanted.id))
        registered = source_of(present).canonical
        if registered != source_of(wanted).canonical:
            message = f"model {shorten(wanted.id)} is registered with another source"
            raise AlreadyExistsError(f"{message}: {shorten(registered, 200)}")

    def _pullable(self, record: ModelRecord) -> ModelRecord:
        if record.format is ModelFormat.API:
            allowed = "a model of format gguf or hf; others are not downloaded"
            raise InvalidRequestError("id", record.id, allowed)
        return record

    async def _keep(self, wanted: ModelRecord, pulled: PulledModel) -> Sequence[str]:
        """Register the model, or give the registered one what its source says of it.

        The settings that both have changed, and that stay. Much may have happened meanwhile:
        another pull may have registered it, or somebody may have forgotten it, or said that it
        comes from elsewhere.
        """
        if not wanted.etag and await self._added(with_pulled(wanted, pulled).record):
            return ()
        self._check_same(wanted)
        present = self._store.get(wanted.id)
        found = with_pulled(present, pulled)
        if found.record != present:
            await self._store.update(
                wanted.id, lambda record: with_pulled(record, pulled).record, ""
            )
        return found.left

    async def _added(self, record: ModelRecord) -> bool:
        """Register it; whether it was not registered already."""
        if record.id in self._store:
            return False
        try:
            await self._store.add(record)
        except AlreadyExistsError:
            if record.id not in self._store:  # the id is that of an alias by now
                raise
            return False
        return True


def settings_of(folder: Path) -> tuple[ModelConfig, Mapping[str, str]]:
    """What a checkpoint of this machine says, converted or not: a load converts it, asking nobody.

    Its settings, and its labels. Blocks.
    """
    from llm_runner_router.checkpoints.checkpoint import Checkpoint  # noqa: PLC0415 - takes long
    from llm_runner_router.checkpoints.pipeline_settings import PipelineSettings  # noqa: PLC0415

    checkpoint = Checkpoint.of(folder)
    config, _ = checkpoint.defaults(checkpoint.blueprint().context_length)
    return config, PipelineSettings.of(folder).labels()


def version(path: Path) -> tuple[object, ...]:
    """What tells a file from another one at its place. OSError where there is none."""
    status = path.stat()
    return path, status.st_ino, status.st_size, status.st_mtime_ns


def with_pulled(record: ModelRecord, pulled: PulledModel) -> Followed:
    """``record`` with what came along with its weights; files bring nothing but themselves."""
    if source_of(record).kind not in SAYING:
        return Followed(record)
    found = with_settings(record, pulled.config)
    return replace(found, record=with_labels(found.record, pulled.labels))


def with_settings(record: ModelRecord, config: ModelConfig) -> Followed:
    """See ``followed``; without its label where there is no room for one."""
    found = followed(record, config)
    if len(found.record.labels) <= MAX_LABELS:
        return found
    return replace(found, record=replace(found.record, labels=record.labels))


def with_labels(record: ModelRecord, labels: Mapping[str, str]) -> ModelRecord:
    """``record`` with the labels of its source, where there is room for them."""
    together = {**record.labels, **labels}
    return replace(record, labels=together) if len(together) <= MAX_LABELS else record
