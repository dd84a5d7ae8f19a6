"""Ten real models of which three fit, under random traffic: each answers as it does alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from llm_runner_router.config.tree import EngineConfig
from llm_runner_router.errors import ModelNotFoundError, OverloadedError
from llm_runner_router.providers.base import Call, Delta, Provider
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.local import LocalProvider
from llm_runner_router.providers.local_service import LocalService
from llm_runner_router.registry.loader import SourceLoader
from llm_runner_router.registry.memory.residency import Residency, ResidencyLimits
from llm_runner_router.registry.records import (
    LoadProgress,
    MemoryEstimate,
    ModelConfig,
    ModelRecord,
)
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.weights_finder import WeightsFinder
from llm_runner_router.types import ModelFormat, Request
from unit import tiny_model

MODELS = [f"m{number}" for number in range(10)]
REQUESTS = 120
ENGINE = EngineConfig(threads=1, context_length=tiny_model.CONTEXT)


class FileLoader:
    """Loads from files, and counts what the engines that there are take."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        files = WeightsFinder(Pulls({}, folder), folder, lambda: False)
        self.pool = HttpPool()
        self.source = SourceLoader(files, self.pool, LocalService(ENGINE, 1 << 20), lambda: 4)
        self.used = self.most = self.loads = 0

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        return await self.source.estimate(record)

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        self.loads += 1
        provider = await self.source.load(record, on_progress)
        assert isinstance(provider, LocalProvider)
        memory = provider._engine.memory
        size = memory.weights + memory.kv + memory.compute
        self._take(size)
        self._watch(provider, size)
        return provider

    def _watch(self, provider: LocalProvider, size: int) -> None:
        close = provider.close

        async def closed() -> None:
            await close()
            self._take(-size)

        provider.close = closed  # type: ignore[method-assign]

    def _take(self, size: int) -> None:
        self.used += size
        self.most = max(self.most, self.used)


class House:
    """A residency with memory for three of the models."""

    def __init__(self, folder: Path) -> None:
        self.loader = FileLoader(folder)
        self.records = {
            name: ModelRecord(name, "", ModelFormat.GGUF, f"{name}.gguf", ModelConfig())
            for name in MODELS
        }
        self.limit = 0
        self.residency = Residency(self.loader, self.find, ResidencyLimits(lambda: self.limit))

    async def measure(self) -> None:
        """Set the limit to what three of the models take."""
        found = [await self.loader.estimate(record) for record in self.records.values()]
        self.limit = 3 * max(memory.total for memory in found if memory is not None)

    def find(self, model: str) -> ModelRecord:
        if model not in self.records:
            raise ModelNotFoundError(model)
        return self.records[model]

    async def answer(self, model: str, tokens: int = 12) -> str:
        """What ``model`` says, greedily."""
        request = Request(
            prompt="hello world", raw=True, max_tokens=tokens, temperature=0.0, ignore_eos=True
        )
        async with self.residency.lease(model) as provider:
            text = ""
            async with aclosing(provider.generate(Call("r", request))) as events:
                async for event in events:
                    text += event.text if isinstance(event, Delta) else ""
            return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(MODELS):
        tiny_model.write(folder / f"{name}.gguf", seed=seed)
    return folder


@pytest_asyncio.fixture
async def house(folder: Path) -> AsyncIterator[House]:
    house = House(folder)
    await house.measure()
    yield house
    await house.residency.close()
    assert house.residency.memory().used == house.loader.used == 0
    await house.loader.pool.close()


async def test_all_answer_though_only_three_fit(house: House) -> None:
    alone = {model: await house.answer(model) for model in MODELS}
    assert len(set(alone.values())) > len(MODELS) // 2  # they do differ
    random = Random(7)
    late = 0

    async def caller(model: str) -> None:
        nonlocal late
        left = random.choice([None, None, random.uniform(0.0, 2.0)])
        try:
            async with asyncio.timeout(left):
                assert await house.answer(model) == alone[model]
        except TimeoutError:
            assert left is not None
            late += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(REQUESTS):
            group.create_task(caller(random.choice(MODELS)))
            await asyncio.sleep(random.uniform(0.0, 0.01))
    assert late < REQUESTS / 2
    assert house.loader.loads > 2 * len(MODELS)
    assert house.loader.most <= house.limit
    assert len(house.residency.loaded_models()) <= 3


async def test_what_runs_goes_on_while_others_come_and_go(house: House) -> None:
    expected = await house.answer("m0", 200)
    answering = asyncio.ensure_future(house.answer("m0", 200))
    async with asyncio.TaskGroup() as group:
        for model in MODELS[1:]:
            group.create_task(house.answer(model))
    assert await answering == expected
    assert house.loader.most <= house.limit


async def test_what_cannot_fit_says_so(house: House) -> None:
    house.limit = 1000
    with pytest.raises(OverloadedError, match=r"'m0' needs .* MiB of memory .* limit of 1000 B"):
        await house.answer("m0")
    assert house.loader.loads == 0
