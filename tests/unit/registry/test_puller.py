"""What becomes of records while their models are pulled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import AlreadyExistsError, ModelFileError, ModelNotFoundError
from llm_runner_router.registry.checks.model import MAX_LABELS, checked_record
from llm_runner_router.registry.puller import Puller
from llm_runner_router.registry.records import (
    Alias,
    AliasTarget,
    ModelConfig,
    ModelRecord,
    PullProgress,
)
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.local import FileFetcher
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import OllamaSource
from llm_runner_router.registry.sources.source_settings import followed
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat
from unit import tiny_checkpoint as tiny
from unit.echoes import model

SOURCE = "ollama://tiny"
CONFIG = ModelConfig(system="Be kind.")
FORMER = ModelConfig(system="Be brief.", seed=1)


class GatedFetcher:
    """Has every model, once the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.damage: ModelFileError | None = None
        self.here: PulledModel | None = None

    async def fetch(self, _source: OllamaSource, on_progress: ProgressListener) -> PulledModel:
        on_progress(PullProgress("resolving"))
        self.begun.set()
        await self.gate.wait()
        return PulledModel(Path("/theirs"), CONFIG, in_place=True)

    def find(self, _source: OllamaSource) -> PulledModel | None:
        if self.damage is not None:
            raise self.damage
        return self.here


@asynccontextmanager
async def puller() -> AsyncIterator[tuple[Puller, RegistryStore, GatedFetcher]]:
    store, fetcher = await RegistryStore.open(None), GatedFetcher()
    pulls = Pulls({"ollama": fetcher}, Path("/cache"))
    yield Puller(store, pulls, Path("/nowhere")), store, fetcher
    await pulls.close()
    await store.close()


async def test_all_who_pull_a_new_model_at_once_get_it() -> None:
    async with puller() as (made, store, fetcher):
        pulls = [asyncio.ensure_future(made.pull(SOURCE, "m", None)) for _ in range(3)]
        await fetcher.begun.wait()
        fetcher.gate.set()
        assert await asyncio.gather(*pulls) == ["m", "m", "m"]
        assert store.get("m").config == CONFIG


async def test_a_model_that_came_from_elsewhere_meanwhile_stays_as_it_is() -> None:
    async with puller() as (made, store, fetcher):
        pull = asyncio.ensure_future(made.pull(SOURCE, "m", None))
        await fetcher.begun.wait()
        other = await store.add(replace(model("m"), source="https://host/m.gguf?key=secret"))
        fetcher.gate.set()
        with pytest.raises(AlreadyExistsError, match="another source") as caught:
            await pull
        assert "secret" not in caught.value.message
        assert store.get("m") == other


async def test_an_id_that_has_become_an_alias_meanwhile_is_not_taken() -> None:
    async with puller() as (made, store, fetcher):
        await store.add(model("target"))
        pull = asyncio.ensure_future(made.pull(SOURCE, "m", None))
        await fetcher.begun.wait()
        await store.set_alias(Alias("m", [AliasTarget("target")]))
        fetcher.gate.set()
        with pytest.raises(AlreadyExistsError, match="alias"):
            await pull


@pytest.mark.parametrize("source", ["", SOURCE])
async def test_a_model_that_is_forgotten_meanwhile_is_back_for_who_names_its_source_alone(
    source: str,
) -> None:
    async with puller() as (made, store, fetcher):
        await store.add(replace(model("m"), source=SOURCE))
        pull = asyncio.ensure_future(made.pull(source, "m", None))
        await fetcher.begun.wait()
        await store.remove("m")
        fetcher.gate.set()
        if source:
            assert await pull == "m"
        else:
            with pytest.raises(ModelNotFoundError):
                await pull
        assert ("m" in store) is bool(source)


async def test_a_damaged_store_keeps_nobody_from_registering() -> None:
    async with puller() as (made, _, fetcher):
        fetcher.damage = ModelFileError("blob: has 3 bytes")
        record = replace(model("m"), source=SOURCE)
        assert await made.completed(record) == record


@pytest.mark.parametrize("name", ["old", "new"])
async def test_another_adapter_makes_another_record(tmp_path: Path, name: str) -> None:
    """Answers are kept by records, and those of before are not those of now."""
    weights, old, now = tmp_path / "weights", tmp_path / "old", tmp_path / name
    for path in (weights, old, now):
        path.write_bytes(b"GGUF")
    async with puller() as (made, store, fetcher):
        fetcher.here = PulledModel(weights, CONFIG, in_place=True)
        known = await made.completed(replace(model("m"), source=SOURCE))
        before = await store.add(known)
        fetcher.here = PulledModel(weights, in_place=True, adapters=[old])
        pull = asyncio.ensure_future(made.pull("", "m", None))
        await fetcher.begun.wait()
        fetcher.here = PulledModel(weights, in_place=True, adapters=[now])
        fetcher.gate.set()
        await pull
        assert (store.get("m") == before) is (now == old)


async def test_what_the_record_says_goes_before_what_its_source_says() -> None:
    async with puller() as (made, store, fetcher):
        own = ModelConfig(system="Be brief.")
        await store.add(replace(model("m"), source=SOURCE, config=own))
        fetcher.gate.set()
        told: list[PullProgress] = []
        await made.pull("", "m", told.append)
        assert store.get("m").config == own
        assert not any(step.note for step in told)


async def test_a_tag_that_has_moved_takes_its_settings_along() -> None:
    async with puller() as (made, store, fetcher):
        fetcher.here = PulledModel(Path("/theirs"), FORMER, in_place=True)
        await store.add(await made.completed(replace(model("m"), source=SOURCE)))
        fetcher.gate.set()
        await made.pull("", "m", None)
        assert store.get("m").config == CONFIG


async def test_what_was_changed_here_too_stays_and_is_told() -> None:
    async with puller() as (made, store, fetcher):
        fetcher.here = PulledModel(Path("/theirs"), FORMER, in_place=True)
        record = await made.completed(replace(model("m"), source=SOURCE))
        own = replace(record.config, system="Be mine.")
        await store.add(replace(record, config=own))
        fetcher.gate.set()
        told: list[PullProgress] = []
        await made.pull("", "m", told.append)
        assert store.get("m").config == ModelConfig(system="Be mine.")
        (note,) = (step.note for step in told if step.note)
        assert note.startswith("system has changed at the source, and here too")


async def test_what_a_load_has_brought_is_in_the_record_from_then_on() -> None:
    async with puller() as (made, store, fetcher):
        record = await store.add(replace(model("m"), source=SOURCE))
        assert await made.brought(record) == record
        fetcher.here = PulledModel(Path("/theirs"), CONFIG, in_place=True)
        kept = await made.brought(record)
        assert kept == store.get("m")
        assert kept.config == CONFIG
        assert await made.brought(record) is kept


async def test_what_a_load_has_brought_is_used_while_nothing_can_be_stored() -> None:
    async with puller() as (made, store, fetcher):
        record = await store.add(replace(model("m"), source=SOURCE))
        fetcher.here = PulledModel(Path("/theirs"), CONFIG, in_place=True)
        await store.close()
        assert (await made.brought(record)).config == CONFIG
        assert store.get("m") == record


async def test_what_a_load_has_brought_of_a_source_that_is_another_by_then_goes_nowhere() -> None:
    async with puller() as (made, store, fetcher):
        fetcher.here = PulledModel(Path("/theirs"), CONFIG, in_place=True)
        record = replace(model("m"), source=SOURCE)
        assert await made.brought(record) == record
        other = await store.add(replace(record, source="ollama://other"))
        assert await made.brought(record) == record
        assert store.get("m") == other
        elsewhere = replace(other, format=ModelFormat.API, provider="openai", source="gpt")
        await store.update("m", lambda _: elsewhere)
        assert await made.brought(record) == record
        assert store.get("m").config == ModelConfig()


async def test_a_file_says_nothing_of_what_was_taken_over_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    store = await RegistryStore.open(None)
    pulls = Pulls({"file": FileFetcher(tmp_path)}, Path("/cache"))
    made = Puller(store, pulls, tmp_path)
    record = replace(model("m"), source=str(tmp_path / "m.gguf"))
    before = await store.add(followed(record, CONFIG).record)
    await made.pull("", "m", None)
    assert store.get("m") == before
    await pulls.close()
    await store.close()


async def test_a_record_that_is_full_of_labels_gets_the_settings_alone() -> None:
    async with puller() as (made, _, fetcher):
        fetcher.here = PulledModel(Path("/theirs"), CONFIG, in_place=True)
        labels = {str(number): "" for number in range(MAX_LABELS)}
        record = await made.completed(replace(model("m"), source=SOURCE, labels=labels))
        assert (record.config, record.labels) == (CONFIG, labels)
        checked_record(record)


async def test_a_checkpoint_of_this_machine_says_its_defaults_before_it_is_converted(
    tmp_path: Path,
) -> None:
    """Its first use converts it, and asks for no pull."""
    said = {"top_k": 7, "do_sample": False}
    folder = tiny.write(tmp_path, generation_config=said)
    own = ModelConfig(top_k=3)
    record = ModelRecord("m", "m", ModelFormat.HF, str(folder), own)
    async with puller() as (made, _, _):
        config = (await made.completed(record)).config
        assert (config.top_k, config.temperature) == (3, 0.0)
        assert config.context_length == tiny.CONTEXT
        (folder / "model.safetensors").unlink()
        assert await made.completed(record) == record  # what is wrong shows when it is loaded
