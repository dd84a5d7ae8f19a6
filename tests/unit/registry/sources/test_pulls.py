from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llm_runner_router.errors import (
    InvalidRequestError,
    SourceError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import OllamaSource

HALF = PullProgress("downloading", "x", 5, 10)


class GatedFetcher:
    """Tells half, and ends when the gate opens."""

    def __init__(self, pulled: PulledModel) -> None:
        self.pulled = pulled
        self.gate = asyncio.Event()
        self.half = asyncio.Event()
        self.fetches: list[str] = []
        self.cancelled = 0
        self.failure: Exception | None = None

    async def fetch(self, source: OllamaSource, on_progress: ProgressListener) -> PulledModel:
        self.fetches.append(source.canonical)
        on_progress(HALF)
        self.half.set()
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            self.cancelled += 1
            raise
        if self.failure is not None:
            raise self.failure
        return self.pulled

    def find(self, source: OllamaSource) -> PulledModel | None:
        return self.pulled if source.name.model == "here" else None


@pytest.fixture
def fetcher(tmp_path: Path) -> GatedFetcher:
    (tmp_path / "m").write_bytes(b"GGUF")
    return GatedFetcher(PulledModel(tmp_path / "m"))


@pytest.fixture
def pulls(fetcher: GatedFetcher, tmp_path: Path) -> Pulls:
    return Pulls({"ollama": fetcher}, tmp_path)


async def test_pulls_of_one_model_are_one(pulls: Pulls, fetcher: GatedFetcher) -> None:
    early: list[PullProgress] = []
    late: list[PullProgress] = []
    first = asyncio.create_task(pulls.pull("ollama://x", early.append))
    await fetcher.half.wait()
    second = asyncio.create_task(pulls.pull("ollama://library/x:latest", late.append))
    other = asyncio.create_task(pulls.pull("ollama://y"))
    fetcher.half.clear()
    await fetcher.half.wait()
    assert late == [HALF]
    fetcher.gate.set()
    assert await first == await second == await other == fetcher.pulled
    assert fetcher.fetches == ["ollama://x:latest", "ollama://y:latest"]
    done = PullProgress("done", "x", 10, 10, 0.0, 0.0)
    assert early == [PullProgress("resolving"), HALF, done]
    assert late == [HALF, done]
    assert await pulls.pull("ollama://x") == fetcher.pulled
    assert len(fetcher.fetches) == 3


async def test_only_the_last_who_leaves_ends_a_pull(pulls: Pulls, fetcher: GatedFetcher) -> None:
    waiting = [asyncio.create_task(pulls.pull("ollama://x")) for _ in range(2)]
    await fetcher.half.wait()
    waiting[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[0]
    assert fetcher.cancelled == 0
    waiting[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting[1]
    assert fetcher.cancelled == 1


async def test_who_comes_while_a_pull_is_given_up_gets_a_new_one(
    pulls: Pulls, fetcher: GatedFetcher
) -> None:
    leaving = asyncio.create_task(pulls.pull("ollama://x"))
    await fetcher.half.wait()
    leaving.cancel()
    coming = asyncio.create_task(pulls.pull("ollama://x"))
    fetcher.gate.set()
    assert await coming == fetcher.pulled
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert len(fetcher.fetches) == 2


async def test_all_who_wait_learn_of_a_failure(pulls: Pulls, fetcher: GatedFetcher) -> None:
    fetcher.failure = SourceError("no")
    waiting = [asyncio.create_task(pulls.pull("ollama://x")) for _ in range(2)]
    await fetcher.half.wait()
    fetcher.gate.set()
    for task in waiting:
        with pytest.raises(SourceError, match="no"):
            await task
    fetcher.failure = None
    assert await pulls.pull("ollama://x") == fetcher.pulled


async def test_a_listener_that_fails_leaves_nothing(pulls: Pulls, fetcher: GatedFetcher) -> None:
    def fail(_: PullProgress) -> None:
        raise ValueError("deaf")

    with pytest.raises(ValueError, match="deaf"):
        await pulls.pull("ollama://x", fail)
    fetcher.gate.set()
    assert await pulls.pull("ollama://x") == fetcher.pulled


async def test_closing_ends_all(pulls: Pulls, fetcher: GatedFetcher) -> None:
    waiting = asyncio.create_task(pulls.pull("ollama://x"))
    await fetcher.half.wait()
    await pulls.close()
    assert fetcher.cancelled == 1
    with pytest.raises(UnavailableError):
        await waiting
    with pytest.raises(UnavailableError):
        await pulls.pull("ollama://x")
    await pulls.close()


async def test_what_cannot_be_pulled(pulls: Pulls) -> None:
    with pytest.raises(InvalidRequestError):
        await pulls.pull("s3://x")
    with pytest.raises(UnsupportedError, match="hf"):
        await pulls.pull("hf://org/repo")
    with pytest.raises(UnsupportedError):
        pulls.find("hf://org/repo")


@pytest.mark.parametrize("in_place", [False, True])
async def test_files_lie_in_the_folder_of_downloads(
    tmp_path: Path, fetcher: GatedFetcher, in_place: bool
) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link").symlink_to(tmp_path / "m")
    fetcher.pulled = PulledModel(inside / "link", in_place=in_place)
    fetcher.gate.set()
    pulls = Pulls({"ollama": fetcher}, inside)
    if in_place:
        assert await pulls.pull("ollama://x") == pulls.find("ollama://here") == fetcher.pulled
    else:
        outside = PulledModel(inside / "a", adapters=(inside / "b", inside / "link"))
        for pulled in (fetcher.pulled, PulledModel(inside / ".." / "m"), outside):
            fetcher.pulled = pulled
            with pytest.raises(SourceError, match="outside"):
                await pulls.pull("ollama://x")
            with pytest.raises(SourceError, match="outside"):
                pulls.find("ollama://here")


async def test_what_is_here_is_found_without_a_fetch(pulls: Pulls, fetcher: GatedFetcher) -> None:
    assert pulls.find("ollama://here") == fetcher.pulled
    assert pulls.find("ollama://x") is None
    assert fetcher.fetches == []
