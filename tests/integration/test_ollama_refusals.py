"""Registries and stores that refuse, fail and lie, and what is said of it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.ollama_client import (
    MODEL,
    Ollama,
    running_ollama,
    weights,
    whole_model,
)
from integration.upstreams.ollama_store import OllamaFiles
from llm_runner_router.errors import (
    ModelFileError,
    OverloadedError,
    SourceError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.registry.sources import disk


@pytest_asyncio.fixture
async def ollama(tmp_path: Path) -> AsyncIterator[Ollama]:
    async with running_ollama(tmp_path) as ollama:
        yield ollama


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


async def test_what_the_engine_does_not_run_is_refused_before_it_comes(ollama: Ollama) -> None:
    files = whole_model().add("model", b"GGUF and more")
    ollama.server.add(files)
    with pytest.raises(UnsupportedError, match="files of weights"):
        await ollama.pull()
    assert ollama.server.of_store == []
    ollama.store.put(files)
    with pytest.raises(UnsupportedError, match=r"^ollama://tiny:latest: .*files of weights"):
        ollama.find("ollama://tiny")


async def test_what_runs_in_a_cloud_is_refused_before_it_comes(ollama: Ollama) -> None:
    config = {"remote_host": "https://ollama.example", "remote_model": "big"}
    ollama.server.add(OllamaFiles(MODEL, config=config))
    with pytest.raises(SourceError, match="cloud"):
        await ollama.pull()
    assert len(ollama.server.of_store) == 1


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
