"""From where a model lives to its answer, through a real service."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.model_service import ModelService, serving
from integration.upstreams.faults import drip
from integration.upstreams.file_server import FileServer
from integration.upstreams.hub_server import HubServer
from integration.upstreams.ollama_registry_server import OllamaRegistryServer
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.decision import CacheState
from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidRequestError,
    ModelNotPulledError,
    SourceError,
)
from llm_runner_router.registry.records import (
    LoadProgress,
    ModelConfig,
    ModelRecord,
    PullProgress,
)
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import ModelFormat, Request
from unit import tiny_model

ASK = Request(prompt="hello", model="tiny", max_tokens=4, temperature=0.0)
TEMPLATE = "{{ if .System }}<s>{{ .System }}</s>{{ end }}{{ .Prompt }}:{{ .Response }}"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_model.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf").read_bytes()


@asynccontextmanager
async def service_of(
    folder: Path, **models: Any
) -> AsyncIterator[tuple[ModelService, RemoteBackend]]:
    """A service whose downloads lie in ``folder``, and a client."""
    settings = {"cache_dir": str(folder / "cache"), "ollama_dir": str(folder / "none"), **models}
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(serving({}, {"models": settings}))
        remote = RemoteBackend(service.address)
        stack.push_async_callback(remote.close)
        await remote.initialize()
        yield service, remote


async def test_from_a_web_server(tmp_path: Path, weights: bytes) -> None:
    digest = hashlib.sha256(weights).hexdigest()
    async with FileServer().running() as server, service_of(tmp_path) as (_, remote):
        url = f"{server.put('/models/tiny.gguf', weights)}#sha256={digest}"
        steps: list[PullProgress] = []
        view = await remote.pull_model(url, "", steps.append)
        assert view.record == (await remote.get_model("tiny")).record
        assert view.record.source == url
        assert steps[-1].phase == "done"
        assert steps[-1].done_bytes == steps[-1].total_bytes == len(weights)
        assert [step.done_bytes for step in steps] == sorted(step.done_bytes for step in steps)
        assert (await remote.process(ASK)).model_used == "tiny"
        asked = len(server.seen)
        await remote.pull_model("", "tiny")
        await remote.pull_model(url)
        assert len(server.seen) == asked


async def test_from_the_hub(
    tmp_path: Path, weights: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with HubServer().running() as server, service_of(tmp_path) as (_, remote):
        monkeypatch.setenv("HF_ENDPOINT", server.address)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "theirs"))
        server.add("org/tiny-GGUF", {"tiny-Q4_0.gguf": weights, "tiny-Q8_0.gguf": weights[::-1]})
        view = await remote.pull_model("hf://org/tiny-GGUF:Q4_0", "tiny")
        assert view.record.source == "hf://org/tiny-GGUF:Q4_0"
        assert (await remote.process(ASK)).model_used == "tiny"
        assert not (tmp_path / "theirs").exists()


async def test_from_ollamas_registry(tmp_path: Path, weights: bytes) -> None:
    files = OllamaFiles(weights).add("template", TEMPLATE).add("system", "Be kind.")
    files.add("params", {"temperature": 0, "stop": ["###"], "num_ctx": 128})
    files.add("license", "MIT").add("projector", b"no text")
    async with OllamaRegistryServer().running() as server, service_of(tmp_path) as (_, remote):
        server.add(files)
        source = f"ollama://{server.host}/library/tiny"
        steps: list[PullProgress] = []
        view = await remote.pull_model(source, "", steps.append)
        assert view.record.id == "tiny"
        assert view.record.config.system == "Be kind."
        assert view.record.config.license == "MIT"
        (note,) = [step.note for step in steps if step.note]
        assert "projector" in note
        assert "pictures and sounds cannot be read" in note
        assert (await remote.process(ASK)).model_used == "tiny"


async def test_ollamas_own_models_stay_where_they_are(tmp_path: Path, weights: bytes) -> None:
    store = OllamaFolder(tmp_path / "theirs")
    files = OllamaFiles(weights).add("template", TEMPLATE).add("system", "Be kind.")
    files.add("params", {"temperature": 0, "stop": ["###"], "num_ctx": 128}).add("license", "MIT")
    store.put(files)
    before = {path: path.stat().st_ino for path in store.folder.rglob("*")}
    async with service_of(tmp_path, ollama_dir=str(store.folder)) as (service, remote):
        record = ModelRecord("tiny", "", ModelFormat.GGUF, "ollama://tiny")
        config = (await remote.register_model(record)).record.config
        assert config.system == "Be kind."
        assert (config.temperature, config.stop, config.context_length) == (0, ("###",), 128)
        assert config.license == "MIT"
        assert config.chat_template
        answer = await remote.process(ASK)
        prompt = "<s>Be kind.</s>hello:"
        tokens = await remote.tokenize("tiny", prompt, add_special=True, parse_special=True)
        assert answer.metrics.prompt_tokens == len(tokens)
        assert (await remote.get_model("tiny")).details.file_bytes == len(weights)
        assert service.engine().context_length == 128
    assert {path: path.stat().st_ino for path in store.folder.rglob("*")} == before
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


async def test_what_was_not_pulled_is_not_loaded_unless_that_is_wished(
    tmp_path: Path, weights: bytes
) -> None:
    async with FileServer().running() as server:
        url = server.put("/tiny.gguf", weights)
        record = ModelRecord("tiny", "", ModelFormat.GGUF, url)
        async with service_of(tmp_path) as (_, remote):
            await remote.register_model(record)
            with pytest.raises(ModelNotPulledError, match="was not pulled yet"):
                await remote.process(ASK)
            assert (await remote.get_model("tiny")).memory is None
            assert server.seen == []
        async with service_of(tmp_path, auto_download=True) as (_, remote):
            await remote.register_model(record)
            steps: list[LoadProgress] = []
            assert (await remote.load_model("tiny", steps.append)).loaded
            fractions = [step.fraction for step in steps]
            assert fractions == sorted(fractions)
            assert "downloading" in [step.phase for step in steps]
            assert (await remote.process(ASK)).model_used == "tiny"


async def test_what_comes_by_the_first_use_brings_its_settings(
    tmp_path: Path, weights: bytes
) -> None:
    files = OllamaFiles(weights).add("template", TEMPLATE).add("system", "Be kind.")
    files.add("params", {"num_ctx": 128})
    async with OllamaRegistryServer().running() as server:
        server.add(files)
        source = f"ollama://{server.host}/library/tiny"
        async with service_of(tmp_path, auto_download=True) as (service, remote):
            record = ModelRecord("tiny", "", ModelFormat.GGUF, source)
            assert (await remote.register_model(record)).record.config == ModelConfig()
            loaded = (await remote.load_model("tiny")).record
            assert (loaded.config.system, loaded.config.context_length) == ("Be kind.", 128)
            assert service.engine().context_length == 128
            answer = await remote.process(ASK)
            prompt = "<s>Be kind.</s>hello:"
            tokens = await remote.tokenize("tiny", prompt, add_special=True, parse_special=True)
            assert answer.metrics.prompt_tokens == len(tokens)


async def test_two_pulls_are_one_download_and_who_leaves_ends_it(
    tmp_path: Path, weights: bytes
) -> None:
    gate = asyncio.Semaphore(0)
    async with FileServer([drip(gate)], piece=2**14).running() as server:
        url = server.put("/tiny.gguf", weights)
        async with service_of(tmp_path) as (_, remote):
            begun = asyncio.Event()
            first = asyncio.ensure_future(remote.pull_model(url, "a", lambda _: begun.set()))
            second = asyncio.ensure_future(remote.pull_model(url, "b"))
            await begun.wait()
            first.cancel()
            await asyncio.wait([first])
            for _ in range(len(weights) // 2**14 + 1):
                gate.release()
            assert (await second).record.id == "b"
            assert [view.record.id for view in (await remote.list_models()).models] == ["b"]
            assert len(server.seen) == 1


async def test_refusals_come_before_any_byte(tmp_path: Path, weights: bytes) -> None:
    async with FileServer().running() as server, service_of(tmp_path) as (_, remote):
        url = server.put("/tiny.gguf", weights)
        await remote.register_model(ModelRecord("taken", "", ModelFormat.GGUF, "/x.gguf"))
        with pytest.raises(AlreadyExistsError, match="another source"):
            await remote.pull_model(url, "taken")
        with pytest.raises(InvalidRequestError, match="source"):
            await remote.pull_model("ftp://host/x.gguf", "new")
        with pytest.raises(InvalidRequestError, match="source"):
            await remote.pull_model("", "")
        with pytest.raises(InvalidRequestError, match="id"):
            await remote.pull_model(url, "a@b@c")
        assert server.seen == []
        with pytest.raises(SourceError, match="404"):
            await remote.pull_model(f"{server.address}/absent.gguf", "new")
        assert [view.record.id for view in (await remote.list_models()).models] == ["taken"]


async def test_kept_answers_end_with_the_file_that_gave_them(tmp_path: Path) -> None:
    files = [
        OllamaFiles(tiny_model.write(tmp_path / f"{seed}.gguf", seed=seed).read_bytes())
        for seed in (1, 2)
    ]
    config = {"models": {"cache_dir": str(tmp_path / "cache"), "ollama_dir": str(tmp_path)}}
    async with (
        OllamaRegistryServer().running() as server,
        serving({}, {**config, "cache": {"enabled": True}}) as service,
    ):
        server.add(files[0])
        source = f"ollama://{server.host}/library/tiny"
        router = service.runtime
        first = await router.pull_model(source)
        once = await router.process(ASK)
        assert (await router.process(ASK)).cache is CacheState.HIT
        await router.pull_model(source)
        assert (await router.get_model("tiny")).record.etag == first.record.etag
        server.add(files[1])
        await router.pull_model(source)
        assert (await router.get_model("tiny")).record.etag != first.record.etag
        await router.unload_model("tiny")
        again = await router.process(ASK)
        assert again.cache is not CacheState.HIT
        assert again.token_ids != once.token_ids
