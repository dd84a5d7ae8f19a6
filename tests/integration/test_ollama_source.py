"""Models of Ollama: where they lie in its store, and from a registry that speaks its protocol."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from integration.model_answer import answer_of
from integration.upstreams.faults import cut, drip, reset
from integration.upstreams.file_server import header
from integration.upstreams.ollama_registry_server import OllamaRegistryServer
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.errors import (
    ModelFileError,
    OverloadedError,
    SourceError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import ModelConfig, PullProgress
from llm_runner_router.registry.sources import disk
from llm_runner_router.registry.sources.download import Downloader
from llm_runner_router.registry.sources.ollama import OllamaFetcher
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import OllamaSource, parse_source
from unit import tiny_model


def weights(seed: int, size: int = 600_000) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size)


MODEL = weights(1)


class Ollama:
    """A registry, the store of Ollama itself, and a fetcher that knows both."""

    def __init__(self, server: OllamaRegistryServer, folder: Path, pool: HttpPool) -> None:
        self.server = server
        self.cache = folder / "cache"
        self.store = OllamaFolder(folder / "theirs")
        downloader = Downloader(lambda: pool.aiohttp, pause=no_pause)
        self.fetcher = OllamaFetcher(
            downloader, lambda: pool.aiohttp, self.cache, self.store.folder
        )
        self.pulls = Pulls({"ollama": self.fetcher}, self.cache)
        self.told: list[PullProgress] = []

    @property
    def source(self) -> str:
        return f"ollama://{self.server.host}/library/tiny"

    async def pull(self, source: str | None = None) -> PulledModel:
        return await self.pulls.pull(source or self.source, self.told.append)

    def find(self, source: str | None = None) -> PulledModel | None:
        parsed = parse_source(source or self.source)
        assert isinstance(parsed, OllamaSource)
        return self.fetcher.find(parsed)

    @property
    def below(self) -> set[str]:
        folder = self.cache / "ollama"
        return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


async def no_pause(_: float) -> None:
    pass


@pytest_asyncio.fixture
async def ollama(tmp_path: Path) -> AsyncIterator[Ollama]:
    pool = HttpPool()
    async with OllamaRegistryServer().running() as server:
        yield Ollama(server, tmp_path, pool)
    await pool.close()


def whole_model() -> OllamaFiles:
    files = OllamaFiles(MODEL)
    files.add("template", "{{ .System }} {{ .Prompt }}").add("system", "Be brief.")
    return files.add("params", {"temperature": 0.5, "stop": ["<|end|>"]}).add("license", "MIT")


def snapshot(folder: Path) -> dict[str, tuple[int, int, int]]:
    """What a folder holds and when it was written."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_ino,
            path.stat().st_mtime_ns,
            path.stat().st_size,
        )
        for path in [folder, *folder.rglob("*")]
    }


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


async def test_a_damaged_model_of_ollama_is_found_out_by_a_pull(ollama: Ollama) -> None:
    ollama.store.put(whole_model())
    damaged = MODEL[:-1] + bytes([MODEL[-1] ^ 1])
    ollama.store.blob_path(MODEL).write_bytes(damaged)
    with pytest.raises(ModelFileError) as caught:
        await ollama.pull("ollama://tiny")
    assert hashlib.sha256(MODEL).hexdigest() in caught.value.message
    assert hashlib.sha256(damaged).hexdigest() in caught.value.message
    assert ollama.store.blob_path(MODEL).read_bytes() == damaged
    assert ollama.find("ollama://tiny") is not None


@pytest.mark.parametrize("how", ["renamed", "shortened", "folder", "elsewhere"])
async def test_a_blob_that_is_not_what_it_should_be_is_named(ollama: Ollama, how: str) -> None:
    ollama.store.put(whole_model())
    blob = ollama.store.blob_path(MODEL)
    aside = blob.rename(ollama.store.folder / "aside")
    match how:
        case "shortened":
            blob.write_bytes(MODEL[:-1])
        case "folder":
            blob.mkdir()
        case "elsewhere":
            blob.symlink_to(aside)
    with pytest.raises(ModelFileError, match=blob.name):
        ollama.find("ollama://tiny")
    with pytest.raises(ModelFileError, match=r"^ollama://tiny:latest: "):
        await ollama.pull("ollama://tiny")
    assert ollama.server.seen == []


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


async def test_a_wrong_digest_leaves_no_model(ollama: Ollama) -> None:
    files = OllamaFiles(MODEL, config=None)
    ollama.server.add(files)
    other = weights(2)
    ollama.server.put(f"/store/{files.layers[0]['digest']}", other)
    with pytest.raises(SourceError) as caught:
        await ollama.pull()
    assert hashlib.sha256(other).hexdigest() in caught.value.message
    assert hashlib.sha256(MODEL).hexdigest() in caught.value.message
    assert ollama.below == set()
    assert ollama.find() is None


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


async def test_a_realm_that_must_not_be_followed_is_not(ollama: Ollama) -> None:
    ollama.server.add(whole_model())
    ollama.server.token = "unknown"
    for realm in ("http://registry.example/token", "file:///etc/passwd", ""):
        ollama.server.realm = realm
        with pytest.raises(SourceError, match="some accounts only"):
            await ollama.pull()


async def test_a_token_is_never_shown(ollama: Ollama, caplog: pytest.LogCaptureFixture) -> None:
    ollama.server.add(whole_model())
    ollama.server.tokens = ["verysecret"]
    ollama.server.known.clear()
    with caplog.at_level("DEBUG"), pytest.raises(SourceError) as caught:
        await ollama.pull()
    assert "404" in caught.value.message
    assert "verysecret" not in caught.value.message
    assert "verysecret" not in "".join(record.getMessage() for record in caplog.records)


async def test_a_model_that_is_not_there_is_said(ollama: Ollama) -> None:
    with pytest.raises(SourceError, match=r"has no model '127.*library/tiny:latest'"):
        await ollama.pull()
    assert not ollama.cache.exists()


@pytest.mark.parametrize("code", [429, 500, 503])
async def test_a_registry_in_trouble_may_be_asked_again(ollama: Ollama, code: int) -> None:
    ollama.server.statuses["/v2/library/tiny/manifests/latest"] = code
    with pytest.raises(UnavailableError, match=str(code)):
        await ollama.pull()


async def test_a_registry_that_is_away_may_be_asked_again(ollama: Ollama) -> None:
    source = ollama.source
    await ollama.server.refuse()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await ollama.pull(source)


OUTSIDE = OllamaFiles(MODEL, config=None)
OUTSIDE.layers[0]["digest"] = "sha256:../../../../etc/passwd"


@pytest.mark.parametrize(
    "manifest",
    [b"no json", b"[" * 100_000, b"{}", OUTSIDE.manifest, b" " * 5_000_000 + b"{}"],
    ids=["text", "deep", "empty", "outside", "long"],
)
async def test_a_hostile_manifest_is_refused(ollama: Ollama, manifest: bytes) -> None:
    ollama.server.manifests["/v2/library/tiny/manifests/latest"] = manifest
    with pytest.raises(SourceError, match="manifest of"):
        await ollama.pull()
    assert not ollama.cache.exists()
    ollama.store.put_manifest(manifest)
    with pytest.raises(SourceError, match="manifest "):
        ollama.find("ollama://tiny")


async def test_a_manifest_of_a_gigabyte_is_not_read(ollama: Ollama) -> None:
    path = ollama.store.put_manifest(b"{")
    with path.open("r+b") as file:
        file.truncate(2**30)
    with pytest.raises(SourceError, match="more than"):
        ollama.find("ollama://tiny")


async def test_what_has_an_adapter_is_refused_before_it_comes(ollama: Ollama) -> None:
    files = whole_model().add("adapter", b"GGUF adapter")
    ollama.server.add(files)
    with pytest.raises(UnsupportedError, match="adapter"):
        await ollama.pull()
    assert ollama.server.of_store == []
    ollama.store.put(files)
    with pytest.raises(UnsupportedError, match=r"^ollama://tiny:latest: .*adapter"):
        ollama.find("ollama://tiny")


async def test_what_runs_in_a_cloud_is_refused_before_it_comes(ollama: Ollama) -> None:
    config = {"remote_host": "https://ollama.example", "remote_model": "big"}
    ollama.server.add(OllamaFiles(MODEL, config=config))
    with pytest.raises(SourceError, match="cloud"):
        await ollama.pull()
    assert len(ollama.server.of_store) == 1


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


async def test_a_full_disk_is_told_before_anything_comes(
    ollama: Ollama, monkeypatch: pytest.MonkeyPatch
) -> None:
    ollama.server.add(whole_model())
    monkeypatch.setattr(disk, "MARGIN", 2**60)
    with pytest.raises(OverloadedError) as caught:
        await ollama.pull()
    assert caught.value.reason == "DISK_FULL"
    assert ollama.server.of_store == []


async def test_what_is_no_gguf_file_is_refused(ollama: Ollama) -> None:
    ollama.server.add(OllamaFiles(b"ggla, an older format", config=None))
    with pytest.raises(SourceError, match="no GGUF file"):
        await ollama.pull()
    assert ollama.find() is None


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
