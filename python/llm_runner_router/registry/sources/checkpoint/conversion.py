"""Checkpoints converted once: ``<cache>/converted/<identity>/<F16 or another>.gguf``.

The identity stands for the content of the checkpoint, wherever it lies. ``known/<stamp>`` says
which one a checkpoint has whose files are as they were, so that they need not be read again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from llm_runner_router.checkpoints.blueprint import Blueprint
from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.checkpoints.gguf_output import FILE_TYPES, output_bytes, write_gguf
from llm_runner_router.checkpoints.pipeline_settings import PipelineSettings
from llm_runner_router.errors import ModelFileError, RouterError, shorten
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.disk import check_room, disk_errors
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.threads import in_stoppable_thread, in_thread
from llm_runner_router.registry.sources.web.partial import replace_file, sync_folder
from llm_runner_router.registry.sources.web.target_lock import target_lock

IDENTITY = re.compile(r"[0-9a-f]{64}")

Tell = Callable[[str, int], None]
"""A file or tensor that is worked on, and the bytes so far; raises once nobody waits any more."""

Quantize = Callable[[Path, Path, str, Callable[[str, float], None]], None]
"""Makes a smaller file: source, target, type, and who is told tensor and fraction. Blocks."""


@dataclass(frozen=True, slots=True)
class Work:
    """A conversion: ``stamp`` is that of the checkpoint whose identity the target's folder has."""

    checkpoint: Checkpoint
    stamp: str
    blueprint: Blueprint
    target: Path

    @property
    def kind(self) -> str:
        """What the weights become; see ``QUANTIZATIONS``."""
        return self.target.stem

    def beside(self, ending: str) -> Path:
        """A name for what is not the target yet."""
        return self.target.with_name(f"{self.target.name}.{ending}")

    @property
    def element(self) -> str:
        """What they are written as first: what is quantised is made of F16."""
        return self.kind if self.kind in FILE_TYPES else "F16"


class Conversions:
    """Belongs to one event loop. ``cache`` is the folder of downloads."""

    def __init__(self, cache: Path, quantize: Quantize) -> None:
        self._folder = cache / "converted"
        self._quantize = quantize

    def find(self, folder: Path, quantization: str) -> PulledModel | None:
        """What was made of the checkpoint in ``folder`` as it is now; blocks."""
        with suppress(RouterError, OSError):
            checkpoint = Checkpoint.of(folder)
            identity = self._known(checkpoint.stamp())
            if identity is not None and self._target(identity, quantization).is_file():
                return self._made(checkpoint, checkpoint.blueprint(), identity, quantization)
        return None

    async def run(
        self, folder: Path, quantization: str, on_progress: ProgressListener
    ) -> PulledModel:
        """The model of the checkpoint in ``folder``, converted unless it was before.

        Two who want the same, in whatever processes, do it once. Whatever ends this leaves nothing
        that is taken for whole. ModelFileError and UnsupportedError say why it cannot be done;
        OverloadedError (DISK_FULL): no room.
        """
        checkpoint = await asyncio.to_thread(Checkpoint.of, folder)
        # Before the weights are read: most of what is refused is refused at once.
        blueprint = await asyncio.to_thread(checkpoint.blueprint)
        with disk_errors(self._folder):
            stamp = await in_thread(checkpoint.stamp)
            identity = await self._identity(checkpoint, stamp, on_progress)
            target = self._target(identity, quantization)
            await in_thread(target.parent.mkdir, parents=True, exist_ok=True)
            notes: tuple[str, ...] = ()
            async with target_lock(target):
                if not await in_thread(target.is_file):
                    work = Work(checkpoint, stamp, blueprint, target)
                    notes = await self._convert(work, on_progress)
        made = await asyncio.to_thread(self._made, checkpoint, blueprint, identity, quantization)
        return replace(made, notes=(*made.notes, *notes))

    async def _identity(
        self, checkpoint: Checkpoint, stamp: str, on_progress: ProgressListener
    ) -> str:
        """That of the content, which is read unless the files are as they were."""
        known = await in_thread(self._known, stamp)
        if known is not None:
            return known
        total = await in_thread(checkpoint.size)
        loop = asyncio.get_running_loop()

        def read(check: Callable[[], None]) -> str:
            identity = checkpoint.identity(teller("verifying", total, on_progress, check, loop))
            check_unchanged(checkpoint, stamp)
            self._marker(stamp).parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):  # another process was faster to say the same
                replace_file(self._marker(stamp), identity.encode())
            return identity

        return await in_stoppable_thread(read)

    async def _convert(self, work: Work, on_progress: ProgressListener) -> tuple[str, ...]:
        """Write the target of ``work``, whose name says what the weights become.

        What of the tokenizer could not be taken over, in words: told once, as its file is large.
        """
        loop = asyncio.get_running_loop()
        total = output_bytes(work.blueprint, work.element)
        check_room(work.target.parent, total if work.element == work.kind else 2 * total)

        def convert(check: Callable[[], None]) -> tuple[str, ...]:
            tell = teller("converting", total, on_progress, check, loop)
            whole, small = work.beside("whole"), work.beside("small")
            try:
                tokenizer = work.checkpoint.tokenizer(work.blueprint)
                write_gguf(whole, work.blueprint, tokenizer.values, work.element, tell)
                check_unchanged(work.checkpoint, work.stamp)
                if work.element != work.kind:
                    small.unlink(missing_ok=True)
                    self._quantize(whole, small, work.kind, in_bytes(tell, total))
                    # Now: once the target is there, nobody would look for what was left.
                    small.replace(whole)
                whole.replace(work.target)
                sync_folder(work.target.parent)
                return tokenizer.notes
            finally:
                whole.unlink(missing_ok=True)
                small.unlink(missing_ok=True)

        return await in_stoppable_thread(convert)

    def _made(
        self, checkpoint: Checkpoint, blueprint: Blueprint, identity: str, quantization: str
    ) -> PulledModel:
        config, notes = checkpoint.defaults(blueprint.context_length)
        target = self._target(identity, quantization)
        labels = PipelineSettings.of(checkpoint.folder).labels()
        return PulledModel(target, config, (*blueprint.notes, *notes), labels=labels)

    def _target(self, identity: str, quantization: str) -> Path:
        return self._folder / identity / f"{quantization}.gguf"

    def _marker(self, stamp: str) -> Path:
        return self._folder / "known" / stamp

    def _known(self, stamp: str) -> str | None:
        """The identity of a checkpoint whose files are as they were when it was found out."""
        try:
            found = self._marker(stamp).read_bytes()[:65].decode("ascii")
        except (OSError, ValueError):
            return None
        return found if IDENTITY.fullmatch(found) else None


def check_unchanged(checkpoint: Checkpoint, stamp: str) -> None:
    """ModelFileError where a file of a checkpoint is another one than when it was stamped."""
    if checkpoint.stamp() != stamp:
        message = f"the files in {shorten(str(checkpoint.folder), 200)} have changed meanwhile"
        raise ModelFileError(f"checkpoint: {message}: try again")


def teller(
    phase: str,
    total: int,
    on_progress: ProgressListener,
    check: Callable[[], None],
    loop: asyncio.AbstractEventLoop,
) -> Tell:
    """Tells ``on_progress`` on its event loop, from another thread."""

    def tell(name: str, done: int) -> None:
        check()
        loop.call_soon_threadsafe(on_progress, PullProgress(phase, name, done, total))

    return tell


def in_bytes(tell: Tell, total: int) -> Callable[[str, float], None]:
    """Tells fractions of ``total`` bytes."""

    def told(name: str, fraction: float) -> None:
        tell(name, int(fraction * total))

    return told
