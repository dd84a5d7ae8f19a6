"""Models of Ollama with adapters: from its store and from a registry, to answers."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from integration.adapted_model import AdaptedModel, adapted_model
from integration.ollama_client import MODEL, Ollama, running_ollama, snapshot, weights, whole_model
from integration.upstreams.faults import cut, reset
from integration.upstreams.file_server import header
from integration.upstreams.ollama_registry_server import OllamaRegistryServer
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import (
    ModelFileError,
    OverloadedError,
    RouterError,
    SourceError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources import disk
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import ModelFormat, Request

ADAPTER = weights(7, 200_000)
OTHER = weights(8, 200_000)


@pytest_asyncio.fixture
async def ollama(tmp_path: Path) -> AsyncIterator[Ollama]:
    async with running_ollama(tmp_path) as ollama:
        yield ollama


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> AdaptedModel:
    return adapted_model(tmp_path_factory.mktemp("adapted"))


@asynccontextmanager
async def router(folder: Path) -> AsyncIterator[tuple[Runtime, OllamaFolder]]:
    """One over a store that is empty yet; it keeps answers."""
    store = OllamaFolder(folder / "theirs")
    models = {"cache_dir": str(folder / "cache"), "ollama_dir": str(store.folder)}
    config = {"engine": {"threads": 1, "kvType": "f32"}, "models": models}
    runtime = Runtime(load_config(config, environment={}, folder=folder))
    await runtime.initialize()
    try:
        yield runtime, store
    finally:
        await runtime.close()


async def said(runtime: Runtime, model: str) -> list[int]:
    """The ids of its answer, each the likeliest."""
    request = Request(
        prompt="hello world", model=model, max_tokens=20, temperature=0, ignore_eos=True, logprobs=0
    )
    return [token.token_id for token in (await runtime.process(request)).logprobs]


async def register(runtime: Runtime, *names: str) -> None:
    for name in names:
        await runtime.register_model(ModelRecord(name, "", ModelFormat.GGUF, f"ollama://{name}"))


# --- answers


async def test_it_answers_as_the_merged_model_does(tmp_path: Path, model: AdaptedModel) -> None:
    async with router(tmp_path) as (runtime, store):
        store.put(OllamaFiles(model.base), "base")
        store.put(OllamaFiles(model.base).add("adapter", model.adapter), "adapted")
        store.put(OllamaFiles(model.merged), "merged")
        before = snapshot(store.folder)
        await register(runtime, "base", "adapted", "merged")
        answers = {name: await said(runtime, name) for name in ("base", "adapted", "merged")}
        assert len(answers["adapted"]) == 20
        assert answers["adapted"] == answers["merged"] != answers["base"]

        needed = {name: (await runtime.get_model(name)).memory for name in ("base", "adapted")}
        assert needed["adapted"] is not None
        assert needed["base"] is not None
        assert needed["adapted"].weights > needed["base"].weights
        assert snapshot(store.folder) == before
        assert not (tmp_path / "cache").exists()


async def test_another_adapter_is_another_model(tmp_path: Path, model: AdaptedModel) -> None:
    """From a registry, whose tag moves: nothing that was answered before is told again."""
    async with router(tmp_path) as (runtime, _), OllamaRegistryServer().running() as server:
        source = f"ollama://{server.host}/library/tiny"
        answers = []
        adapted = OllamaFiles(model.base).add("adapter", model.adapter)
        for files in (adapted, OllamaFiles(model.base), adapted):
            server.add(files)
            await runtime.pull_model(source, "m")
            await runtime.unload_model("m")
            answers.append(await said(runtime, "m"))
        assert answers[0] == answers[2] != answers[1]


async def test_one_of_another_model_is_a_clear_error(tmp_path: Path, model: AdaptedModel) -> None:
    async with router(tmp_path) as (runtime, store):
        store.put(OllamaFiles(model.base).add("adapter", model.other), "wrong")
        store.put(OllamaFiles(model.base).add("adapter", b"GGUF\3\0\0\0"), "cut")
        await register(runtime, "wrong", "cut")
        with pytest.raises(ModelFileError, match=r"adapter .*lora_a' has shape \[63, 4\]"):
            await said(runtime, "wrong")
        with pytest.raises(ModelFileError, match=r"theirs/blobs/.*needs 8 bytes"):
            await said(runtime, "cut")
        assert (await runtime.get_model("wrong")).memory is None


# --- the store


async def test_both_files_are_verified_where_they_lie(ollama: Ollama) -> None:
    files = whole_model().add("adapter", ADAPTER)
    ollama.store.put(files)
    pulled = await ollama.pull("ollama://tiny")
    assert pulled.in_place
    assert pulled.adapters == (ollama.store.blob_path(ADAPTER),)
    assert pulled.notes == ()
    assert ollama.find("ollama://tiny") == pulled
    assert not ollama.cache.exists()
    done = [told.done_bytes for told in ollama.told if told.phase == "verifying"]
    assert done == sorted(done)
    assert done[-1] == len(MODEL) + len(ADAPTER)


async def test_a_damaged_one_is_found_out_by_a_pull(ollama: Ollama) -> None:
    ollama.store.put(whole_model().add("adapter", ADAPTER))
    damaged = ADAPTER[:-1] + bytes([ADAPTER[-1] ^ 1])
    ollama.store.blob_path(ADAPTER).write_bytes(damaged)
    with pytest.raises(ModelFileError, match=r"^ollama://tiny:latest: .*'adapter'") as caught:
        await ollama.pull("ollama://tiny")
    assert hashlib.sha256(damaged).hexdigest() in caught.value.message


@pytest.mark.parametrize("how", ["gone", "shortened"])
async def test_one_that_is_not_what_it_should_be_is_named(ollama: Ollama, how: str) -> None:
    ollama.store.put(whole_model().add("adapter", ADAPTER))
    blob = ollama.store.blob_path(ADAPTER)
    blob.unlink()
    if how == "shortened":
        blob.write_bytes(ADAPTER[:-1])
    with pytest.raises(ModelFileError, match=rf"^ollama://tiny:latest: .*{blob.name}"):
        ollama.find("ollama://tiny")


# --- the registry


async def test_it_comes_from_a_registry_before_the_weights_do(ollama: Ollama) -> None:
    files = whole_model().add("adapter", ADAPTER).add("adapter", OTHER).add("adapter", ADAPTER)
    ollama.server.add(files)
    pulled = await ollama.pull()
    assert [path.read_bytes() for path in pulled.adapters] == [ADAPTER, OTHER, ADAPTER]
    assert pulled.path.read_bytes() == MODEL
    assert ollama.find() == pulled
    came = [seen.path.partition("?")[0] for seen in ollama.server.of_store[-3:]]
    wanted = [f"/store/sha256:{hashlib.sha256(one).hexdigest()}" for one in (ADAPTER, OTHER, MODEL)]
    assert came == wanted
    coming = [told for told in ollama.told if told.phase == "downloading"]
    total = sum(map(len, files.blobs.values()))
    assert {told.total_bytes for told in coming} == {total}
    assert coming[-1].done_bytes == total
    ollama.server.seen.clear()
    assert await ollama.pull() == pulled
    assert len(ollama.server.seen) == 1


async def test_what_came_of_it_is_not_asked_for_again(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(MODEL, config=None).add("adapter", ADAPTER))
    ollama.server.inject(cut(100_000), *[reset()] * 20)
    with pytest.raises(UnavailableError):
        await ollama.pull()
    assert ollama.find() is None
    came = next((ollama.cache / "ollama" / "blobs").glob("*.part")).stat().st_size
    ollama.server.faults.clear()
    before = len(ollama.server.of_store)
    assert (await ollama.pull()).adapters[0].read_bytes() == ADAPTER
    assert header(ollama.server.of_store[before], "Range") == f"bytes={came}-"


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"algg\1\0\0\0", UnsupportedError, "has the form ggla"),
        (b"<html>", ModelFileError, "is no GGUF file"),
    ],
)
async def test_one_of_another_form_is_refused_before_the_weights_come(
    ollama: Ollama, content: bytes, error: type[RouterError], message: str
) -> None:
    files = OllamaFiles(MODEL, config=None).add("adapter", content)
    ollama.server.add(files)
    with pytest.raises(error, match=message):
        await ollama.pull()
    assert len(ollama.server.of_store) == 1
    assert ollama.below == set()
    ollama.store.put(files)
    with pytest.raises(error, match=rf"^ollama://tiny:latest: .*{message}"):
        ollama.find("ollama://tiny")


async def test_a_wrong_digest_leaves_no_model(ollama: Ollama) -> None:
    files = OllamaFiles(MODEL, config=None).add("adapter", ADAPTER)
    ollama.server.add(files)
    ollama.server.put(f"/store/{files.layers[1]['digest']}", OTHER)
    with pytest.raises(SourceError, match="adapter") as caught:
        await ollama.pull()
    assert hashlib.sha256(OTHER).hexdigest() in caught.value.message
    assert ollama.below == set()
    assert ollama.find() is None


async def test_the_disk_must_have_room_for_it_too(
    ollama: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = OllamaFiles(b"GGUF", config=None).add("adapter", ADAPTER)
    files.layers[1]["size"] = 1 << 49
    ollama.server.add(files)
    monkeypatch.setattr(disk, "MARGIN", 0)
    with pytest.raises(OverloadedError) as caught:
        await ollama.pull()
    assert caught.value.reason == "DISK_FULL"
    assert ollama.server.of_store == []
