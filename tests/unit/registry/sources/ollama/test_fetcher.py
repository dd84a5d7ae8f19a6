"""What a manifest in a store comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.registry.sources.ollama.fetcher import pulled
from llm_runner_router.registry.sources.ollama.store import OllamaStore
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source import OllamaSource, parse_source
from unit import tiny_model


def model_of(folder: Path, weights: bytes, context: int) -> PulledModel:
    files = OllamaFiles(weights).add("params", {"num_ctx": context, "mirostat": 1})
    OllamaFolder(folder / "theirs").put(files)
    source = parse_source("ollama://tiny")
    assert isinstance(source, OllamaSource)
    return pulled(OllamaStore(folder / "theirs"), source.name, files.manifest, in_place=True)


@pytest.mark.parametrize("context", [tiny_model.CONTEXT + 1, 131_072])
def test_a_context_that_the_weights_do_not_have_is_cut_as_ollama_cuts_it(
    tmp_path: Path, context: int
) -> None:
    weights = tiny_model.write(tmp_path / "tiny.gguf").read_bytes()
    model = model_of(tmp_path, weights, context)
    assert model.config.context_length == tiny_model.CONTEXT
    made = f"the file was made for {tiny_model.CONTEXT}"
    assert model.notes == (
        "parameter 'mirostat' (1) has no counterpart",
        f"num_ctx {context} is {tiny_model.CONTEXT} here: {made}",
    )


def test_a_context_that_they_have_stays_and_so_does_that_of_a_file_that_says_nothing(
    tmp_path: Path,
) -> None:
    weights = tiny_model.write(tmp_path / "tiny.gguf").read_bytes()
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder, content, context in (("a", weights, 64), ("b", b"GGUF cut", 8192)):
        model = model_of(tmp_path / folder, content, context)
        assert (model.config.context_length, len(model.notes)) == (context, 1)
