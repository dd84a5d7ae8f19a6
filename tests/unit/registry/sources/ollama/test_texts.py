"""What a model at Ollama says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder, digest_of
from llm_runner_router.errors import ModelFileError, SourceError, UnsupportedError
from llm_runner_router.registry.checks.model import check_config
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.registry.sources.ollama.adapters import MAX_ADAPTERS
from llm_runner_router.registry.sources.ollama.manifest import parsed_manifest
from llm_runner_router.registry.sources.ollama.store import OllamaStore
from llm_runner_router.registry.sources.ollama.texts import (
    MAX_BLOBS,
    MAX_CHARACTERS,
    OllamaTexts,
    files_of,
)

GGUF = b"GGUF"


@pytest.fixture
def folder(tmp_path: Path) -> OllamaFolder:
    return OllamaFolder(tmp_path / "store")


def texts(folder: OllamaFolder, files: OllamaFiles) -> OllamaTexts:
    folder.put(files)
    found = OllamaTexts(OllamaStore(folder.folder), parsed_manifest(files.manifest, "tiny"))
    check_config(found.config)
    return found


def with_config(**fields: Any) -> OllamaFiles:
    return OllamaFiles(GGUF, config={"model_format": "gguf", **fields})


def test_weights_alone_say_nothing(folder: OllamaFolder) -> None:
    found = texts(folder, OllamaFiles(GGUF))
    assert (found.config, found.notes) == (ModelConfig(), [])


def test_all_texts_are_taken_over(folder: OllamaFolder) -> None:
    files = OllamaFiles(GGUF).add("system", "Be brief.").add("params", {"top_k": 5})
    files.add("license", " MIT\n").add("license", "").add("license", "Apache")
    found = texts(folder, files.add("template", "{{ .Prompt }}"))
    assert found.config.system == "Be brief."
    assert found.config.top_k == 5
    assert found.config.license == "MIT\n\nApache"
    assert found.config.chat_template is not None
    assert found.notes == []


def test_the_last_of_a_kind_counts_and_parameters_add_up(folder: OllamaFolder) -> None:
    files = OllamaFiles(GGUF).add("system", "first").add("system", "last")
    files.add("params", {"top_k": 5, "seed": 1}).add("params", {"top_k": 6})
    config = texts(folder, files).config
    assert (config.system, config.top_k, config.seed) == ("last", 6, 1)


def test_an_older_name_of_templates_is_known(folder: OllamaFolder) -> None:
    assert texts(folder, OllamaFiles(GGUF).add("prompt", "{{ .Prompt }}")).config.chat_template


def test_a_template_that_cannot_be_translated_is_noted(folder: OllamaFolder) -> None:
    found = texts(folder, OllamaFiles(GGUF).add("template", "{{ if }}"))
    assert found.config.chat_template is None
    (note,) = found.notes
    assert "the file's own is used" in note


def test_a_template_beside_a_renderer_is_a_placeholder(folder: OllamaFolder) -> None:
    files = with_config(renderer="qwen3-coder").add("template", "{{ .Prompt }}")
    found = texts(folder, files)
    assert found.config.chat_template is None
    (note,) = found.notes
    assert "'qwen3-coder'" in note


def test_a_parser_is_noted(folder: OllamaFolder) -> None:
    found = texts(folder, with_config(parser="harmony").add("template", "{{ .Prompt }}"))
    assert found.config.chat_template is not None
    (note,) = found.notes
    assert "'harmony'" in note


@pytest.mark.parametrize("kind", ["projector", "draft", "embed", "messages", "strange"])
def test_what_is_not_used_is_noted(folder: OllamaFolder, kind: str) -> None:
    found = texts(folder, OllamaFiles(GGUF).add(kind, b"[1]"))
    assert found.config == ModelConfig()
    (note,) = found.notes
    assert kind in note.partition(": ")[0]


@pytest.mark.parametrize("kind", ["system", "license"])
def test_a_text_without_an_end_is_left_out(folder: OllamaFolder, kind: str) -> None:
    found = texts(folder, OllamaFiles(GGUF).add(kind, "x" * (MAX_CHARACTERS + 1)))
    assert found.config == ModelConfig()
    (note,) = found.notes
    assert kind in note


@pytest.mark.parametrize("kind", ["system", "template", "license"])
def test_a_text_that_is_none_is_refused(folder: OllamaFolder, kind: str) -> None:
    with pytest.raises(SourceError, match=f"the model's {kind} .* is no UTF-8"):
        texts(folder, OllamaFiles(GGUF).add(kind, b"\xff\xfe"))


@pytest.mark.parametrize("params", [b"{", b"[]", b"[" * 100_000])
def test_parameters_that_are_none_are_refused(folder: OllamaFolder, params: bytes) -> None:
    with pytest.raises(SourceError, match="parameters: "):
        texts(folder, OllamaFiles(GGUF).add("params", params))


def test_a_text_that_is_gone_is_named(folder: OllamaFolder) -> None:
    files = OllamaFiles(GGUF).add("system", "hello")
    folder.put(files)
    path = folder.blob_path(b"hello")
    path.unlink()
    with pytest.raises(ModelFileError, match=path.name):
        OllamaTexts(OllamaStore(folder.folder), parsed_manifest(files.manifest, "tiny"))


@pytest.mark.parametrize(
    ("files", "error", "message"),
    [
        (OllamaFiles(GGUF).add("model", b"GGUF2"), UnsupportedError, "2 files of weights"),
        (OllamaFiles(b"").add("tensor", b"x"), UnsupportedError, "single tensors"),
        (OllamaFiles(b"", config=None), SourceError, "names no weights"),
        (OllamaFiles(GGUF, config={"model_format": "safetensors"}), UnsupportedError, "format"),
        (OllamaFiles(b"", config={"remote_host": "x"}), SourceError, "in a cloud"),
        (OllamaFiles(b"", config={"remote_model": "x"}), SourceError, "in a cloud"),
    ],
)
def test_what_is_no_single_file_of_weights_is_refused(
    folder: OllamaFolder, files: OllamaFiles, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        texts(folder, files)


def test_adapters_are_as_many_as_the_engine_runs(folder: OllamaFolder) -> None:
    files = OllamaFiles(GGUF)
    for index in range(MAX_ADAPTERS):
        files.add("adapter", f"GGUF {index}")
    assert texts(folder, files).notes == []
    with pytest.raises(UnsupportedError, match="has 17 adapters; allowed: 16"):
        texts(folder, files.add("adapter", b"GGUF"))


def test_files_are_the_adapters_and_then_the_weights_each_once() -> None:
    files = OllamaFiles(GGUF).add("adapter", b"b").add("system", "s").add("adapter", b"a")
    files.add("adapter", b"b").add("adapter", GGUF)
    found = files_of(parsed_manifest(files.manifest, "tiny"))
    assert [(one.kind, one.digest) for one in found] == [
        ("adapter", digest_of(b"b")),
        ("adapter", digest_of(b"a")),
        ("model", digest_of(GGUF)),
    ]


def test_blobs_are_few(folder: OllamaFolder) -> None:
    files = OllamaFiles(GGUF)
    for index in range(MAX_BLOBS):
        files.add("license", f"{index}")
    with pytest.raises(SourceError, match=f"names {MAX_BLOBS + 2} blobs"):
        texts(folder, files)
