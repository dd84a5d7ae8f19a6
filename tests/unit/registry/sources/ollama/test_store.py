"""Stores in Ollama's layout, hostile ones among them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.errors import ModelFileError, SourceError
from llm_runner_router.registry.sources.ollama.manifest import (
    MAX_MANIFEST_BYTES,
    OllamaBlob,
    parsed_manifest,
)
from llm_runner_router.registry.sources.ollama.name import OllamaName
from llm_runner_router.registry.sources.ollama.store import MAX_TEXT_BYTES, OllamaStore

NAME = OllamaName("registry.ollama.ai", "library", "tiny", "latest")
FILES = OllamaFiles(b"GGUF").add("system", "hello")


@pytest.fixture
def folder(tmp_path: Path) -> OllamaFolder:
    folder = OllamaFolder(tmp_path / "store")
    folder.put(FILES)
    return folder


@pytest.fixture
def store(folder: OllamaFolder) -> OllamaStore:
    return OllamaStore(folder.folder)


def blob(kind: str) -> OllamaBlob:
    return parsed_manifest(FILES.manifest, "tiny").of_kind(kind)[0]


def test_a_model_lies_under_its_name(store: OllamaStore, folder: OllamaFolder) -> None:
    assert store.manifest(NAME) == FILES.manifest
    assert store.manifest_path(NAME) == folder.manifest_path()
    other = OllamaName("hf.co", "o", "m", "q")
    assert store.manifest(other) is None
    folder.put(FILES, "m", "q", host="hf.co", namespace="o")
    assert store.manifest(other) == FILES.manifest


def test_a_store_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert OllamaStore(tmp_path / "nowhere").manifest(NAME) is None
    (tmp_path / "file").write_text("")
    assert OllamaStore(tmp_path / "file").manifest(NAME) is None


def test_blobs_are_whole_and_where_they_are(store: OllamaStore, folder: OllamaFolder) -> None:
    assert store.checked(blob("model")) == folder.blob_path(b"GGUF")
    assert store.text(blob("system")) == b"hello"


def test_a_text_of_another_content_is_refused(store: OllamaStore, folder: OllamaFolder) -> None:
    folder.blob_path(b"hello").write_bytes(b"hellO")
    assert store.checked(blob("system"))
    with pytest.raises(ModelFileError, match=r"has the sha256 .*, its manifest says"):
        store.text(blob("system"))


def test_a_text_that_is_none_is_not_read(store: OllamaStore, folder: OllamaFolder) -> None:
    path = folder.blob_path(b"hello")
    with path.open("r+b") as file:
        file.truncate(2**40)
    long = OllamaBlob("system", blob("system").sha256, 2**40)
    with pytest.raises(ModelFileError, match=f"more than {MAX_TEXT_BYTES} bytes"):
        store.text(long)


@pytest.mark.parametrize("kind", ["model", "system"])
def test_a_blob_that_leads_out_is_refused(
    store: OllamaStore, folder: OllamaFolder, tmp_path: Path, kind: str
) -> None:
    path = store.blob_path(blob(kind))
    outside = tmp_path / "secret"
    outside.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(outside)
    with pytest.raises(ModelFileError, match="leads out of its store"):
        store.checked(blob(kind))
    with pytest.raises(ModelFileError, match="leads out of its store"):
        store.text(blob(kind))
    path.unlink()
    inside = folder.folder / "blobs" / "inside"
    outside.rename(inside)
    path.symlink_to(inside)
    assert store.checked(blob(kind)) == path


def test_a_manifest_that_leads_out_is_refused(
    store: OllamaStore, folder: OllamaFolder, tmp_path: Path
) -> None:
    path = folder.manifest_path()
    path.symlink_to(path.rename(tmp_path / "secret"))
    with pytest.raises(SourceError, match="leads out of its store"):
        store.manifest(NAME)


def test_links_in_a_circle_are_refused(store: OllamaStore, folder: OllamaFolder) -> None:
    path = folder.blob_path(b"GGUF")
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(ModelFileError, match=path.name):
        store.checked(blob("model"))


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_not_waited_for(
    store: OllamaStore, folder: OllamaFolder, make: object
) -> None:
    assert callable(make)
    for path in (folder.blob_path(b"hello"), folder.manifest_path()):
        path.unlink()
        make(path)
    with pytest.raises(ModelFileError, match="is no regular file"):
        store.text(blob("system"))
    with pytest.raises(SourceError):
        store.manifest(NAME)


def test_a_blob_that_is_gone_is_named(store: OllamaStore, folder: OllamaFolder) -> None:
    path = folder.blob_path(b"GGUF")
    path.rename(path.with_name("renamed"))
    with pytest.raises(ModelFileError, match=rf"{path.name}' \('model'\): No such file"):
        store.checked(blob("model"))


@pytest.mark.parametrize("content", [b"GGU", b"GGUF2"])
def test_a_blob_of_another_size_is_told(
    store: OllamaStore, folder: OllamaFolder, content: bytes
) -> None:
    folder.blob_path(b"GGUF").write_bytes(content)
    message = f"has {len(content)} bytes, its manifest says 4"
    with pytest.raises(ModelFileError, match=message):
        store.checked(blob("model"))


def test_a_manifest_without_an_end_is_not_read(store: OllamaStore, folder: OllamaFolder) -> None:
    with folder.manifest_path().open("r+b") as file:
        file.truncate(2**40)
    with pytest.raises(SourceError, match=f"more than {MAX_MANIFEST_BYTES} bytes"):
        store.manifest(NAME)
