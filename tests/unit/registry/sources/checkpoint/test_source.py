from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.registry.sources.checkpoint.source import (
    CheckpointSource,
    parse_checkpoint,
    source_of,
)
from llm_runner_router.registry.sources.source import FileSource, HubSource
from llm_runner_router.types import ModelFormat


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("gpt2", HubSource("", "gpt2")),
        ("hf://gpt2@v1", HubSource("", "gpt2", "v1")),
        ("org/repo", HubSource("org", "repo")),
        ("hf://org/re.po-1@refs%2Fpr%2F3", HubSource("org", "re.po-1", "refs/pr/3")),
        ("org/repo@refs/pr/3", HubSource("org", "repo", "refs/pr/3")),
        ("/models/a b", FileSource(Path("/models/a b"))),
        ("./a/../b", FileSource(Path("b"))),
        ("file:///models/a", FileSource(Path("/models/a"))),
    ],
)
def test_what_is_a_checkpoint(text: str, origin: FileSource | HubSource) -> None:
    found = parse_checkpoint(text)
    assert found.origin == origin
    assert found.quantization == "F16"
    assert found.local is isinstance(origin, FileSource)


@pytest.mark.parametrize(
    "text",
    [
        *("", "a/b/c", "hf://", "hf://org/", "hf:///repo", "org/..", "a b", "org/repo@"),
        *("https://host/model", "ollama://x", "hf://org/repo/file.gguf", "hf://org/repo:Q4_K_M"),
        *("org/repo@../x", "-x/y", "a--b/c", "org/re\npo", "a" * 200),
    ],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="source"):
        parse_checkpoint(text)


def test_one_spelling_a_result() -> None:
    assert parse_checkpoint("gpt2").canonical == "hf://gpt2#F16"
    assert parse_checkpoint("hf://org/repo@v1", "Q8_0").canonical == "hf://org/repo@v1#Q8_0"
    assert parse_checkpoint("/a/b").canonical == "/a/b#F16"
    assert parse_checkpoint("/a/My Model").default_id == "My-Model"
    assert parse_checkpoint("org/repo").default_id == "repo"


def test_the_source_of_a_record_is_that_of_its_format() -> None:
    record = ModelRecord("m", "m", ModelFormat.HF, "org/repo", ModelConfig(quantization="Q8_0"))
    assert source_of(record) == CheckpointSource(HubSource("org", "repo"), "Q8_0")
    gguf = replace(record, format=ModelFormat.GGUF, source="org/repo")
    assert source_of(gguf) == FileSource(Path("org/repo"))
