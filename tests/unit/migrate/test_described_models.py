"""Folders where the guide's script for model files was run before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.model_files import model_files
from unit.migrate.test_model_files import document, gguf


def description(name: str, **changed: Any) -> dict[str, Any]:
    """What the script writes."""
    entry = {"id": name, "name": name.title(), "format": "gguf"}
    entry |= {"source": f"./models/cache/{name}.gguf"}
    return {**entry, "config": {"contextLength": 2048, "temperature": 0.7}, **changed}


def put(folder: Path, name: str, described: object = None, *, context: int = 8192) -> None:
    for part, ending, content in (
        ("cache", "gguf", gguf(context)),
        ("configs", "json", json.dumps(described or description(name)).encode()),
    ):
        (folder / "models" / part).mkdir(parents=True, exist_ok=True)
        (folder / "models" / part / f"{name}.{ending}").write_bytes(content)


def test_models_without_a_registry_get_one(tmp_path: Path) -> None:
    put(tmp_path, "m")
    put(tmp_path, "n", context=512)
    made = model_files(tmp_path, {})
    fitted = description("n", config={"contextLength": 512, "temperature": 0.7})
    assert made.registry["models"] == [description("m"), fitted]
    assert not made.moves
    assert not made.configs
    assert {field.fate for field in made.fields} == {Fate.ADDED}
    assert "models[0] is made of models/configs/m.json" in made.notes
    assert model_files(tmp_path, made.registry).registry == made.registry


def test_a_registry_that_says_where_it_was_is_pointed_to_it(tmp_path: Path) -> None:
    put(tmp_path, "m")
    old = {**description("mine"), "source": "./models/m.gguf"}
    made = model_files(tmp_path, document(old))
    assert made.registry["models"] == [{**old, "source": "./models/cache/m.gguf"}]
    assert "models[0].source is ./models/cache/m.gguf now" in made.notes


@pytest.mark.parametrize(
    "described",
    [
        description("x", source="./models/cache/other.gguf"),
        description("x", source="./models/x.gguf"),
        description("x", source="/etc/passwd"),
        description("x", format="hf"),
        description("x", id=7),
        description("x", id=""),
        description("x", id="x\ny"),
        description("x", config="a text"),
        description("x", config={"temperature": 5}),
        {"config": {}},
    ],
)
def test_what_describes_nothing_is_left_alone(tmp_path: Path, described: dict[str, Any]) -> None:
    put(tmp_path, "x", described)
    (tmp_path / "models/configs/broken.json").write_text("{,}")
    made = model_files(tmp_path, {})
    assert made.registry == {}


def test_ids_and_files_are_taken_once(tmp_path: Path) -> None:
    put(tmp_path, "a")
    put(tmp_path, "b", description("b", id="a"))
    put(tmp_path, "c", description("c", source="./models/cache/a.gguf"))
    models = model_files(tmp_path, {}).registry["models"]
    assert models == [description("a")]


def test_links_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "a")
    (tmp_path / "models/cache/a.gguf").rename(tmp_path / "a.gguf")
    (tmp_path / "models/cache/a.gguf").symlink_to(tmp_path / "a.gguf")
    assert model_files(tmp_path, {}).registry == {}
