"""The section "Model Registry Migration": the registry, its prompts and the model files apart."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from integration.guide.projects import (
    MODEL_FILES,
    Migrated,
    expected_json,
    project_of_v1_0,
    read_json,
    state,
)
from integration.guide.small_project import migrated as migrate
from llm_runner_router import LLMRouter

REGISTRY = "models/registry.json"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project_of_v1_0(tmp_path / "desk")


def changed(folder: Path, *part: str) -> set[str]:
    """The paths that are new, gone or other after the migration of a part."""
    before = state(folder)
    migrate(folder, *part)
    after = state(folder)
    return {path for path in before | after if before.get(path) != after.get(path)}


def test_the_registry_alone(folder: Path) -> None:
    assert changed(folder, "registry") == {REGISTRY}
    found, wanted = read_json(folder / REGISTRY), expected_json("v1_0", REGISTRY)
    models = [model for model in wanted["models"] if "capabilities" in model]
    models[0]["source"] = "./models/model.gguf"  # the files stay where they are
    models[1]["source"] = "./models/support chat.GGUF"
    assert found == {**wanted, "models": models}


def test_the_prompts_alone(folder: Path) -> None:
    before = read_json(folder / REGISTRY)
    assert changed(folder, "prompts") == {REGISTRY}
    found = read_json(folder / REGISTRY)
    assert found["templates"] == expected_json("v1_0", REGISTRY)["templates"]
    assert found["models"] == before["models"]
    assert found["routing"] == before["routing"]


def test_the_model_files_with_the_registry_that_names_them(folder: Path) -> None:
    names = ("archive", "desk's own", "my-model", "support-chat")
    configs = {"models/configs", *(f"models/configs/{name}.json" for name in names)}
    moved = {"models/cache", *MODEL_FILES, *MODEL_FILES.values()}
    assert changed(folder, "models") == {REGISTRY, *configs, *moved}
    found = {model["id"]: model["source"] for model in read_json(folder / REGISTRY)["models"]}
    wanted = expected_json("v1_0", REGISTRY)["models"]
    assert found == {model["id"]: model["source"] for model in wanted}


def test_one_part_after_the_other_is_the_whole(folder: Path, migrated: Migrated) -> None:
    for part in ("models", "prompts", "env"):
        migrate(folder, part)
    migrate(folder)
    after = state(folder)
    differ = {path for path in migrated.after if after[path] != migrated.after[path]}
    assert differ == {"models/registry.sqlite"}  # which says when it was made, and where
    assert after.keys() == migrated.after.keys()


async def test_the_result_comes_into_a_router_and_out_of_it_without_loss(
    migrated: Migrated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = await asyncio.to_thread((migrated.folder / REGISTRY).read_bytes)
    async with LLMRouter() as router:
        await router.import_registry(document)
        exported = json.loads(await router.export_registry())
    wanted = json.loads(document)
    for kind in ("models", "templates"):
        given, told = by_id(wanted.pop(kind)), by_id(exported.pop(kind))
        assert told.keys() == given.keys()
        for name, entry in given.items():
            assert {key: told[name][key] for key in entry} == entry
            assert told[name].keys() - entry.keys() <= {"capabilities", "performance"}  # defaults
    assert exported == wanted


def by_id(entries: list[Any]) -> dict[str, Any]:
    return {one["id"]: one for one in entries}
