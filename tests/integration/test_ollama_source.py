"""Models of Ollama: where they lie in its store, and from a registry that speaks its protocol."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from integration.model_answer import answer_of
from integration.ollama_client import (
    MODEL,
    Ollama,
    running_ollama,
    snapshot,
    whole_model,
)
from integration.upstreams.faults import cut, drip, reset
from integration.upstreams.file_server import header
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.errors import (
    UnavailableError,
)
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.registry.sources.ollama.fetcher import OllamaFetcher
from llm_runner_router.registry.sources.source import OllamaSource, parse_source
from llm_runner_router.registry.sources.web.download import Downloader
from unit import tiny_model


@pytest_asyncio.fixture
async def ollama(tmp_path: Path) -> AsyncIterator[Ollama]:
    async with running_ollama(tmp_path) as ollama:
        yield ollama


async def test_a_model_of_ollama_is_used_where_it_lies(ollama: Ollama) -> None:
    ollama.store.put(whole_model())
    before = snapshot(ollama.store.folder)
    pulled = await ollama.pull("ollama://tiny")
    assert pulled.in_place
    assert pulled.path.samefile(ollama.store.blob_path(MODEL))
    assert pulled.config.system == "Be brief."
    assert pulled.config.temperature == 0.5
    assert pulled.config.stop == ("<|end|>",)
    assert pulled.config.license == "MIT"
    assert pulled.config.chat_template is not None
    assert pulled.notes == ()
    assert ollama.find("ollama://library/tiny:latest") == pulled
    assert snapshot(ollama.store.folder) == before
    assert ollama.server.seen == []
    assert not ollama.cache.exists()
    assert [told.phase for told in ollama.told] == ["resolving", "resolving", "verifying", "done"]
    assert ollama.told[-1].done_bytes == len(MODEL)


async def test_a_store_that_is_a_link_itself_is_fine(ollama: Ollama) -> None:
    ollama.store.put(whole_model())
    blobs = ollama.store.folder / "blobs"
    blobs.symlink_to(blobs.rename(ollama.store.folder.parent / "other disk"))
    assert (await ollama.pull("ollama://tiny")).path.read_bytes() == MODEL


async def test_what_comes_from_a_registry_lies_in_ollamas_layout(ollama: Ollama) -> None:
    files = whole_model()
    ollama.server.add(files)
    assert ollama.find() is None
    pulled = await ollama.pull()
    assert pulled.path.read_bytes() == MODEL
    assert not pulled.in_place
    assert pulled.config.system == "Be brief."
    assert ollama.find() == pulled
    blobs = {f"blobs/{digest.replace(':', '-')}" for digest in files.blobs}
    manifest = f"manifests/{ollama.server.host}/library/tiny/latest"
    assert ollama.below == {*blobs, manifest}
    assert (ollama.cache / "ollama" / manifest).read_bytes() == files.manifest
    assert snapshot(ollama.store.folder).keys() == {".", "blobs", "manifests"}


async def test_the_texts_come_first_and_progress_counts_all(ollama: Ollama) -> None:
    files = whole_model()
    ollama.server.add(files)
    await ollama.pull()
    assert ollama.server.of_store[-1].path.startswith(
        f"/store/sha256:{hashlib.sha256(MODEL).hexdigest()}"
    )
    total = sum(map(len, files.blobs.values()))
    coming = [told for told in ollama.told if told.phase == "downloading"]
    assert {told.total_bytes for told in coming} == {total}
    done = [told.done_bytes for told in coming]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, total)
    assert coming[-1].file == "model"
    assert ollama.told[-1].phase == "done"


async def test_a_second_pull_asks_for_the_manifest_alone(ollama: Ollama) -> None:
    ollama.server.add(whole_model())
    first = await ollama.pull()
    ollama.server.seen.clear()
    assert await ollama.pull() == first
    assert len(ollama.server.seen) == 1


async def test_a_tag_that_moves_brings_what_is_new(ollama: Ollama) -> None:
    ollama.server.add(whole_model())
    await ollama.pull()
    ollama.server.add(OllamaFiles(MODEL).add("system", "Be verbose."))
    before = len(ollama.server.of_store)
    pulled = await ollama.pull()
    assert pulled.config.system == "Be verbose."
    assert len(ollama.server.of_store) == before + 1
    assert ollama.find() == pulled


async def test_a_cut_is_gone_on_behind(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(MODEL, config=None))
    ollama.server.inject(cut(300_000))
    assert (await ollama.pull()).path.read_bytes() == MODEL
    ranges = [header(seen, "Range") for seen in ollama.server.of_store]
    assert len(ranges) == 2
    assert ranges[0] is None
    assert ranges[1] is not None


async def test_what_came_before_a_failure_is_not_asked_for_again(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(MODEL, config=None))
    ollama.server.inject(cut(300_000), *[reset()] * 20)
    with pytest.raises(UnavailableError):
        await ollama.pull()
    assert ollama.find() is None
    came = next((ollama.cache / "ollama" / "blobs").glob("*.part")).stat().st_size
    assert came > 0
    ollama.server.faults.clear()
    await ollama.pull()
    assert header(ollama.server.of_store[-1], "Range") == f"bytes={came}-"


async def test_a_token_for_anybody_is_got_where_it_is_asked_for(ollama: Ollama) -> None:
    ollama.server.add(whole_model())
    ollama.server.tokens = ["first"]
    assert (await ollama.pull()).path.read_bytes() == MODEL
    asked = [seen.path for seen in ollama.server.seen if seen.path.startswith("/token")]
    assert len(asked) == 1


async def test_a_token_that_runs_out_is_renewed(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(MODEL, config=None))
    ollama.server.tokens = ["first", "second"]
    ollama.server.inject(cut(300_000))
    gate_of_manifest = ollama.server.answer

    def forget(request: object) -> object:
        answer = gate_of_manifest(request)  # type: ignore[arg-type]
        if ollama.server.token == "first":
            ollama.server.token = "forgotten"
        return answer

    ollama.server.answer = forget  # type: ignore[method-assign,assignment]
    assert (await ollama.pull()).path.read_bytes() == MODEL
    assert ollama.server.token == "second"


async def test_two_pulls_of_one_model_share_its_bytes(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(MODEL, config=None))
    gate = asyncio.Semaphore(0)
    ollama.server.inject(drip(gate))
    running = [asyncio.create_task(ollama.pull()) for _ in range(3)]
    await ollama.server.until(lambda server: server.streaming == 1)
    for _ in range(10):
        gate.release()
    first, *others = await asyncio.gather(*running)
    assert others == [first, first]
    assert len(ollama.server.of_store) == 1


async def test_two_tags_with_the_same_blobs_share_them(ollama: Ollama) -> None:
    for tag in ("a", "b", "c"):
        ollama.server.add(whole_model(), tag=tag)
    await asyncio.gather(*(ollama.pull(f"{ollama.source}:{tag}") for tag in "abc"))
    assert len(ollama.server.of_store) == len(whole_model().blobs)


async def test_cancelling_ends_the_download_and_keeps_what_came(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(MODEL, config=None))
    gate = asyncio.Semaphore(1)
    ollama.server.inject(drip(gate))
    pulling = asyncio.create_task(ollama.pull())
    await ollama.server.until(lambda server: server.served.completion_tokens == 1)
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    await ollama.server.until(lambda server: server.streaming == 0)
    assert ollama.server.left == 1
    assert ollama.find() is None
    assert (await ollama.pull()).path.read_bytes() == MODEL


async def test_the_environment_names_the_store(tmp_path: Path) -> None:
    OllamaFolder(tmp_path / "named").put(whole_model())
    pool = HttpPool()
    environment = {"OLLAMA_MODELS": str(tmp_path / "named")}
    fetcher = OllamaFetcher(
        Downloader(lambda: pool.aiohttp),
        lambda: pool.aiohttp,
        tmp_path / "cache",
        environment=environment,
    )
    source = parse_source("ollama://tiny")
    assert isinstance(source, OllamaSource)
    found = fetcher.find(source)
    assert found is not None
    assert found.path.parent == tmp_path / "named" / "blobs"
    environment["OLLAMA_MODELS"] = str(tmp_path / "nowhere")
    assert fetcher.find(source) is None
    await pool.close()


async def test_a_model_of_ollama_answers_with_its_template_and_parameters(
    ollama: Ollama, tmp_path: Path
) -> None:
    content = tiny_model.write(tmp_path / "tiny.gguf").read_bytes()
    files = OllamaFiles(content).add("template", "{{ .System }}{{ .Prompt }}")
    ollama.store.put(files.add("system", "hello ").add("params", {"num_ctx": 64, "seed": 3}))
    pulled = await ollama.pull("ollama://tiny")
    answer = await answer_of(pulled, tmp_path)
    assert answer.metrics.completion_tokens == 5
    assert (await answer_of(pulled, tmp_path)).response == answer.response
    bare = replace(pulled, config=ModelConfig(seed=3))
    assert (await answer_of(bare, tmp_path)).metrics.prompt_tokens > answer.metrics.prompt_tokens
