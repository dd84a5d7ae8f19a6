"""Checkpoints from a hub that speaks the real one's protocol: pulled, converted, answering."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from integration.hub_client import Hub, running_hub
from integration.upstreams.faults import cut
from integration.upstreams.hub_server import COMMIT, Stored
from llm_runner_router import LLMRouter
from llm_runner_router.errors import ModelFileError, ModelNotPulledError, SourceError
from llm_runner_router.model_sources import quantized
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.checkpoint.conversion import Conversions
from llm_runner_router.registry.sources.checkpoint.fetcher import CheckpointFetcher
from llm_runner_router.registry.sources.checkpoint.files import CHECKPOINT
from llm_runner_router.registry.sources.checkpoint.source import parse_checkpoint
from llm_runner_router.registry.sources.hub.fetcher import HubFetcher
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from unit import tiny_checkpoint as tiny

REPOSITORY = "org/tiny"


@dataclass
class Checkpoints:
    """A hub, and what brings checkpoints from it."""

    hub: Hub
    pulls: Pulls
    contents: dict[str, bytes]

    def add(self, name: str = REPOSITORY, **others: bytes) -> None:
        """The checkpoint as the hub stores it: what is small lies in git."""
        stored: dict[str, bytes | Stored] = {
            file: content if file.endswith(".safetensors") else Stored(content, git=True)
            for file, content in {**self.contents, "README.md": b"hello", **others}.items()
        }
        self.hub.server.add(name, stored)

    async def pull(self, source: str = REPOSITORY) -> PulledModel:
        return await self.pulls.pull(parse_checkpoint(source), self.hub.told.append)

    def find(self, source: str = REPOSITORY) -> PulledModel | None:
        return self.pulls.find(parse_checkpoint(source))


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a small checkpoint."""
    tiny.write(folder, generation_config={"top_k": 7, "eos_token_id": 0})
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest_asyncio.fixture
async def checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Checkpoints]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    async with running_hub(tmp_path) as hub:
        downloader = hub.fetcher._downloader
        files = HubFetcher(downloader, hub.cache, hub.environment, CHECKPOINT)
        fetcher = CheckpointFetcher(tmp_path, files, lambda: Conversions(hub.cache, quantized))
        pulls = Pulls({"checkpoint": fetcher}, hub.cache)
        yield Checkpoints(hub, pulls, contents(tmp_path / "made"))


async def test_a_checkpoint_is_pulled_and_converted(checkpoints: Checkpoints) -> None:
    checkpoints.add()
    assert checkpoints.find() is None
    pulled = await checkpoints.pull()
    assert pulled.path.read_bytes().startswith(b"GGUF")
    assert pulled.config.top_k == 7
    assert checkpoints.find() == pulled
    phases = list(dict.fromkeys(step.phase for step in checkpoints.hub.told))
    assert phases == ["resolving", "downloading", "verifying", "converting", "done"]
    snapshot = checkpoints.hub.cache / f"huggingface/models--org--tiny/snapshots/{COMMIT}"
    assert {path.name for path in snapshot.iterdir()} == set(checkpoints.contents)


async def test_the_oldest_models_have_no_organisation(checkpoints: Checkpoints) -> None:
    checkpoints.add("gpt2")
    pulled = await checkpoints.pull("gpt2")
    assert checkpoints.find("hf://gpt2") == pulled
    assert (checkpoints.hub.cache / "huggingface/models--gpt2").is_dir()


async def test_a_cut_download_goes_on(checkpoints: Checkpoints) -> None:
    checkpoints.add()
    checkpoints.hub.server.faults += [cut(20_000)]
    pulled = await checkpoints.pull()
    assert checkpoints.find() == pulled


async def test_pickled_weights_are_not_even_downloaded(checkpoints: Checkpoints) -> None:
    checkpoints.contents["pytorch_model.bin"] = checkpoints.contents.pop("model.safetensors")
    checkpoints.add()
    with pytest.raises(SourceError, match="pickled"):
        await checkpoints.pull()
    assert not (checkpoints.hub.cache / "huggingface").exists()


async def test_what_is_damaged_is_refused_and_not_converted(checkpoints: Checkpoints) -> None:
    config = json.loads(checkpoints.contents["config.json"])
    checkpoints.contents["config.json"] = json.dumps({**config, "hidden_size": 64}).encode()
    checkpoints.add()
    with pytest.raises(ModelFileError, match="shape"):
        await checkpoints.pull()
    assert checkpoints.find() is None
    assert not (checkpoints.hub.cache / "converted").exists()


async def test_what_the_users_own_cache_has_is_used_there(
    tmp_path: Path, checkpoints: Checkpoints
) -> None:
    """As Transformers leaves it: without a listing, and with the contents under their names."""
    theirs = checkpoints.hub.theirs / "models--org--tiny"
    shutil.copytree(tmp_path / "made", theirs / "snapshots" / COMMIT)
    (theirs / "refs").mkdir()
    (theirs / "refs/main").write_text(COMMIT)
    checkpoints.add()
    await checkpoints.pull()
    found = checkpoints.find()
    assert found is not None
    assert found.path.is_relative_to(checkpoints.hub.cache)
    snapshot = checkpoints.hub.cache / f"huggingface/models--org--tiny/snapshots/{COMMIT}"
    assert (snapshot / "model.safetensors").resolve().is_relative_to(theirs)


async def test_a_model_of_the_hub_answers(
    tmp_path: Path, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a caller sees: register, pull or ask, answer; and after a restart nothing is brought."""
    checkpoints.add("gpt2")
    for name, value in checkpoints.hub.environment.items():
        monkeypatch.setenv(name, value)
    config = {"models": {"cacheDir": str(tmp_path / "models"), "autoDownload": False}}
    async with LLMRouter(config) as router:
        await router.register_model("m", "gpt2", format="huggingface")
        with pytest.raises(ModelNotPulledError):
            await router.process("the", model="m")
        told: list[PullProgress] = []
        view = await router.pull_model("", "m", told.append)
        assert view.record.config.top_k == 7
        assert view.record.config.context_length == tiny.CONTEXT
        assert view.memory is not None
        assert told[-1].phase == "done"
        first = await router.process("the", model="m", max_tokens=5, temperature=0)
        assert len(first.token_ids) == 5
    checkpoints.hub.server.seen.clear()
    async with LLMRouter(config) as router:
        view = await router.register_model("m", "hf://gpt2", format="hf")
        assert view.record.config.top_k == 7  # what is here is looked at
        again = await router.process("the", model="m", max_tokens=5, temperature=0)
        assert again.token_ids == first.token_ids
    assert checkpoints.hub.server.seen == []
