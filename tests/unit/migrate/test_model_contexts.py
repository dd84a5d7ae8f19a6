"""Contexts that are longer than the files of their models were made for."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.model_contexts import FittedRegistry, fitted_registry
from llm_runner_router.migrate.parts import Part
from llm_runner_router.migrate.plan import WriteFile
from llm_runner_router.migrate.planner import plan_of
from unit.migrate.test_planner import carry_out, gguf, write, writes

MADE_FOR = 8192
REGISTRY = Path("models/registry.json")


def old(context: object, path: str = "./models/chat.gguf") -> str:
    """A registry of old."""
    model = {"name": "chat", "type": "gguf", "path": path, "context_length": context}
    return json.dumps({"models": [model]})


def today(context: object, source: str = "./models/chat.gguf", key: str = "contextLength") -> Any:
    model = {"id": "chat", "format": "gguf", "source": source, "config": {key: context}}
    return {"version": "1.2.0", "models": [model], "templates": [], "strategies": {}}


def context_in(document: Any) -> object:
    return document["models"][0]["config"]["contextLength"]


def note(said: int) -> str:
    made = f"the file was made for {MADE_FOR}"
    return f"models[0].config.contextLength is {MADE_FOR} now, not {said}: {made}"


@pytest.mark.parametrize("path", ["./models/chat.gguf", "C:\\llm\\models\\chat.gguf"])
def test_a_model_that_moves_gets_the_context_of_its_file(tmp_path: Path, path: str) -> None:
    write(tmp_path, "models/registry.json", old(9000, path))
    write(tmp_path, "models/chat.gguf", gguf())
    plan = plan_of(tmp_path)
    written = writes(plan)
    assert context_in(written["models/registry.json"]) == MADE_FOR
    assert written["models/configs/chat.json"]["config"]["contextLength"] == MADE_FOR
    assert plan.notes.count(note(9000)) == 1
    (change,) = (one for one in plan.changes if Path(one.path) == REGISTRY)
    assert isinstance(change, WriteFile)
    target = "models[0].config.contextLength"
    why = "no longer than the file was made for"
    place = "models[0].context_length"
    assert Field(place, Fate.MAPPED, target, why) in change.fields
    carry_out(plan)
    assert not writes(plan_of(tmp_path))


def test_so_does_one_whose_file_stays(tmp_path: Path) -> None:
    write(tmp_path, "models/cache/chat.gguf", gguf())
    write(tmp_path, "models/registry.json", old(9000, "./models/cache/chat.gguf"))
    for parts in ({Part.REGISTRY}, {Part.MODELS}, {*Part}):
        plan = plan_of(tmp_path, frozenset(parts))
        assert context_in(writes(plan)["models/registry.json"]) == MADE_FOR
        assert plan.notes.count(note(9000)) == 1
    untouched = writes(plan_of(tmp_path, frozenset({Part.PROMPTS})))
    assert "models/registry.json" not in untouched


@pytest.mark.parametrize("service", ["", "models/registry.sqlite"])
def test_a_file_of_today_is_looked_at_until_a_service_has_its_models(
    tmp_path: Path, service: str
) -> None:
    write(tmp_path, "models/cache/chat.gguf", gguf())
    content = today(9000, "./models/cache/chat.gguf")
    write(tmp_path, "models/registry.json", json.dumps(content))
    if service:
        write(tmp_path, service, b"")
    found = writes(plan_of(tmp_path))
    assert ("models/registry.json" in found) is not bool(service)
    write(tmp_path, "models/registry.json", old(9000, "./models/cache/chat.gguf"))
    assert context_in(writes(plan_of(tmp_path))["models/registry.json"]) == MADE_FOR


@pytest.mark.parametrize("context", [1, 2048, MADE_FOR, True, "9000", None, 9000.0])
def test_a_context_that_the_file_has_stays_and_so_does_what_is_none(
    tmp_path: Path, context: object
) -> None:
    write(tmp_path, "models/chat.gguf", gguf())
    document = today(context)
    fit = fitted_registry(tmp_path, document)
    assert fit == FittedRegistry(document)
    assert fit.content is document


@pytest.mark.parametrize("key", ["contextLength", "context_length"])
def test_either_spelling_is_known(tmp_path: Path, key: str) -> None:
    write(tmp_path, "models/chat.gguf", gguf())
    document = today(9000, key=key)
    assert fitted_registry(tmp_path, document).content == today(MADE_FOR, key=key)
    assert document == today(9000, key=key)


def test_what_cannot_be_read_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, "cut.gguf", gguf()[:40])
    os.mkfifo(tmp_path / "pipe.gguf")
    (tmp_path / "folder.gguf").mkdir()
    sources = ("cut.gguf", "pipe.gguf", "folder.gguf", "none.gguf", "ollama://chat", "\0", "")
    for source in sources:
        document = today(9000, source)
        assert fitted_registry(tmp_path, document) == FittedRegistry(document)
    for models in ([None], ["chat"], [{"id": "chat", "source": 3}], [{"config": "x"}], None):
        odd = {"models": models}
        assert fitted_registry(tmp_path, odd) == FittedRegistry(odd)
    config = {"models": [{"id": "chat", "source": "cut.gguf", "config": "x"}]}
    assert fitted_registry(tmp_path, config) == FittedRegistry(config)
