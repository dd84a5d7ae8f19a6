"""Paths as people write them, odd ones too, end in an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.compat.transformers.model_choice import ModelChoice
from llm_runner_router.local_path import absolute, exists, expanded, is_folder, is_regular
from llm_runner_router.migrate.huggingface import planned
from llm_runner_router.migrate.ollama.stores import service_store
from llm_runner_router.registry.sources.ollama.fetcher import OllamaFetcher
from llm_runner_router.registry.sources.source import OllamaSource, parse_source

NOBODY = "~no-such-user/x.gguf"
TOO_LONG = f"/{'a' * 300}.gguf"


def test_a_home_is_expanded_and_that_of_nobody_is_not() -> None:
    assert expanded("~/x") == Path.home() / "x"
    assert expanded(NOBODY) == Path(NOBODY)


def test_what_is_here_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.gguf").touch()
    assert absolute("m.gguf") == str(tmp_path / "m.gguf")
    for text in ("", "none.gguf", NOBODY, TOO_LONG, "a\0b", "hf://o/r"):
        assert absolute(text) == text


def test_what_cannot_be_looked_at_is_not_there(tmp_path: Path) -> None:
    assert exists(tmp_path)
    assert is_folder(tmp_path)
    assert not is_regular(tmp_path)
    for path in (Path(TOO_LONG), Path(NOBODY), tmp_path / "none"):
        assert not exists(path)
        assert not is_regular(path)
        assert not is_folder(path)


@pytest.mark.parametrize("path", [NOBODY, TOO_LONG])
def test_a_checkpoint_that_cannot_be_here_is_taken_for_one_elsewhere(path: str) -> None:
    assert planned(path).record.source == str(Path.cwd() / path)
    assert ModelChoice(path).folder is None


def test_the_store_of_nobodys_home_has_no_models(tmp_path: Path) -> None:
    environment = {"OLLAMA_MODELS": "~no-such-user/models"}
    assert service_store(environment) == Path("~no-such-user/models")
    fetcher = OllamaFetcher(None, None, tmp_path, environment=environment)  # type: ignore[arg-type]
    source = parse_source("ollama://m")
    assert isinstance(source, OllamaSource)
    assert fetcher.find(source) is None
