"""Adapters beside the weights of a model at Ollama."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.errors import ModelFileError, RouterError, UnsupportedError
from llm_runner_router.registry.sources.ollama.adapters import adapters_of, check_adapter
from llm_runner_router.registry.sources.ollama.manifest import parsed_manifest
from llm_runner_router.registry.sources.ollama.store import OllamaStore

FIRST, SECOND = b"GGUF first", b"GGUF second"


@pytest.fixture
def folder(tmp_path: Path) -> OllamaFolder:
    return OllamaFolder(tmp_path / "store")


def found(folder: OllamaFolder, *contents: bytes) -> tuple[Path, ...]:
    files = OllamaFiles(b"GGUF")
    for content in contents:
        files.add("adapter", content)
    folder.put(files)
    return adapters_of(OllamaStore(folder.folder), parsed_manifest(files.manifest, "tiny"))


def test_they_come_in_the_manifests_order_each_as_often_as_it_is_named(
    folder: OllamaFolder,
) -> None:
    assert found(folder) == ()
    first, second = folder.blob_path(FIRST), folder.blob_path(SECOND)
    assert found(folder, SECOND, FIRST, SECOND) == (second, first, second)


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"algg\1\0\0\0", UnsupportedError, r"^adapter sha256:\w+ has the form ggla.*: GGUF$"),
        (b"<html>", ModelFileError, r"^adapter sha256:\w+ is no GGUF file: .*<html>"),
        (b"", ModelFileError, "is no GGUF file"),
    ],
)
def test_what_is_no_gguf_file_is_refused_with_the_reason(
    folder: OllamaFolder, content: bytes, error: type[RouterError], message: str
) -> None:
    with pytest.raises(error, match=message):
        found(folder, FIRST, content)


def test_one_that_is_gone_is_named(folder: OllamaFolder) -> None:
    files = OllamaFiles(b"GGUF").add("adapter", FIRST)
    folder.put(files)
    path = folder.blob_path(FIRST)
    path.unlink()
    manifest = parsed_manifest(files.manifest, "tiny")
    with pytest.raises(ModelFileError, match=rf"{path.name}.*\('adapter'\)"):
        adapters_of(OllamaStore(folder.folder), manifest)
    (blob,) = manifest.of_kind("adapter")
    with pytest.raises(OSError, match=path.name):
        check_adapter(path, blob)
