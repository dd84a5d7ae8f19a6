"""Checkpoints converted once, by one of many who want them, wholly or not at all."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.errors import ModelFileError, OverloadedError, UnsupportedError
from llm_runner_router.model_sources import quantized
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources import disk
from llm_runner_router.registry.sources.checkpoint.conversion import Conversions
from unit import tiny_checkpoint as tiny


class Counted:
    """The real thing, counted; ``gate`` is waited for in the thread that works."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = threading.Event()
        self.gate.set()
        self.begun = threading.Event()

    def __call__(
        self, source: Path, target: Path, kind: str, on_progress: Callable[[str, float], None]
    ) -> None:
        self.calls += 1
        self.begun.set()
        while not self.gate.wait(0.01):
            on_progress("waiting", 0.5)
        quantized(source, target, kind, on_progress)


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def conversions(tmp_path: Path, counted: Counted) -> Conversions:
    return Conversions(tmp_path / "cache", counted)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    return tiny.write(tmp_path / "checkpoint", generation_config={"top_k": 7, "max_length": 20})


def ignore(_: PullProgress) -> None:
    """Nobody looks."""


def left(tmp_path: Path) -> list[str]:
    """What conversions have left behind, beside what is whole."""
    found = (tmp_path / "cache").rglob("*")
    return [path.name for path in found if path.is_file() and path.suffix != ".gguf"
            and path.parent.name != "known"]  # fmt: skip


async def test_once_for_all_times(
    tmp_path: Path, conversions: Conversions, checkpoint: Path
) -> None:
    told: list[PullProgress] = []
    assert conversions.find(checkpoint, "F16") is None
    made = await conversions.run(checkpoint, "F16", told.append)
    assert conversions.find(checkpoint, "F16") == made
    assert list(dict.fromkeys(step.phase for step in told)) == ["verifying", "converting"]
    assert (made.config.top_k, made.config.context_length) == (7, tiny.CONTEXT)
    assert "prompt and answer" in made.notes[0]
    written = made.path.stat().st_mtime_ns
    told.clear()
    assert await conversions.run(checkpoint, "F16", told.append) == made
    assert (told, made.path.stat().st_mtime_ns) == ([], written)
    elsewhere = Path(shutil.copytree(checkpoint, tmp_path / "copy"))
    assert (await conversions.run(elsewhere, "F16", told.append)).path == made.path
    assert {step.phase for step in told} == {"verifying"}
    assert left(tmp_path) == []


async def test_what_has_changed_is_converted_anew(
    conversions: Conversions, checkpoint: Path
) -> None:
    before = await conversions.run(checkpoint, "F16", ignore)
    (checkpoint / "generation_config.json").write_text('{"top_k": 8}')
    assert conversions.find(checkpoint, "F16") is None
    after = await conversions.run(checkpoint, "F16", ignore)
    assert after.path != before.path
    assert after.config.top_k == 8


async def test_quantised_files_lie_beside_it(
    tmp_path: Path, conversions: Conversions, checkpoint: Path
) -> None:
    whole = await conversions.run(checkpoint, "F32", ignore)
    small = await conversions.run(checkpoint, "Q8_0", ignore)
    assert small.path.parent == whole.path.parent
    assert small.path.stat().st_size < whole.path.stat().st_size
    assert left(tmp_path) == []


async def test_two_routers_convert_once(tmp_path: Path, counted: Counted, checkpoint: Path) -> None:
    counted.gate.clear()
    both = [Conversions(tmp_path / "cache", counted) for _ in range(2)]
    runs = [asyncio.create_task(one.run(checkpoint, "Q8_0", ignore)) for one in both]
    await asyncio.to_thread(counted.begun.wait)
    counted.gate.set()
    first, second = await asyncio.gather(*runs)
    assert first == second
    assert counted.calls == 1


async def test_who_is_cancelled_leaves_nothing(
    tmp_path: Path, conversions: Conversions, counted: Counted, checkpoint: Path
) -> None:
    counted.gate.clear()
    run = asyncio.create_task(conversions.run(checkpoint, "Q8_0", ignore))
    await asyncio.to_thread(counted.begun.wait)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert left(tmp_path) == []
    assert conversions.find(checkpoint, "Q8_0") is None
    counted.gate.set()
    assert (await conversions.run(checkpoint, "Q8_0", ignore)).path.is_file()


@pytest.mark.parametrize("step", ["identity", "tokenizer"])
async def test_files_that_change_while_they_are_read(
    tmp_path: Path,
    conversions: Conversions,
    checkpoint: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    real = getattr(Checkpoint, step)

    def meddled(self: Checkpoint, argument: object) -> object:
        (checkpoint / "config.json").touch()
        return real(self, argument)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoint, step, meddled)
        with pytest.raises(ModelFileError, match="changed meanwhile"):
            await conversions.run(checkpoint, "F16", ignore)
    assert conversions.find(checkpoint, "F16") is None
    assert left(tmp_path) == []
    await conversions.run(checkpoint, "F16", ignore)


async def test_no_room(
    tmp_path: Path, conversions: Conversions, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MARGIN", 1 << 60)
    with pytest.raises(OverloadedError) as caught:
        await conversions.run(checkpoint, "F16", ignore)
    assert caught.value.reason == "DISK_FULL"
    assert left(tmp_path) == []


async def test_what_cannot_be_converted_is_refused_before_it_is_read(
    conversions: Conversions, checkpoint: Path
) -> None:
    told: list[PullProgress] = []
    tiny.write(checkpoint, tiny.llama_config(hidden_act="relu"))
    with pytest.raises(UnsupportedError, match="hidden_act"):
        await conversions.run(checkpoint, "F16", told.append)
    assert told == []
    (checkpoint / "model.safetensors").rename(checkpoint / "pytorch_model.bin")
    with pytest.raises(UnsupportedError, match="pickled"):
        await conversions.run(checkpoint, "F16", told.append)
    assert conversions.find(checkpoint, "F16") is None
    assert conversions.find(checkpoint / "none", "F16") is None


async def test_a_damaged_memory_of_identities_costs_time_alone(
    tmp_path: Path, conversions: Conversions, checkpoint: Path
) -> None:
    made = await conversions.run(checkpoint, "F16", ignore)
    (marker,) = (tmp_path / "cache/converted/known").iterdir()
    for content in (b"", b"../../etc", b"\xff" * 64, b"g" * 64, b"a" * 65):
        marker.write_bytes(content)
        assert conversions.find(checkpoint, "F16") is None
        assert await conversions.run(checkpoint, "F16", ignore) == made
