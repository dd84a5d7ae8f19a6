"""What becomes of model files and registries that a plan had better not touch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.parts import EVERYTHING, Part
from llm_runner_router.migrate.plan import MoveFile, WriteFile
from llm_runner_router.migrate.planner import plan_of
from unit.migrate.test_planner import ENVIRONMENT, REGISTRY, gguf, write

ASIDE = {"name": "a prompt without a text"}


def test_a_folder_of_models_that_is_a_link_keeps_its_files_and_stops_nothing_else(
    tmp_path: Path,
) -> None:
    folder, models = tmp_path / "project", tmp_path / "disk"
    write(folder, ".env", ENVIRONMENT)
    write(models, "chat.gguf", gguf())
    (folder / "models").symlink_to(models)
    plan = plan_of(folder)
    assert [str(change.path) for change in plan.changes] == [".env"]
    assert any("models is a symbolic link" in note for note in plan.notes)
    write(models, "registry.json", REGISTRY)
    with pytest.raises(InvalidConfigError, match=r"^models: 'a symbolic link' is not allowed"):
        plan_of(folder)


@pytest.mark.parametrize("parts", [frozenset({Part.PROMPTS}), EVERYTHING])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"prompts": []}, {}),
        ({"templates": None}, {}),
        ({"models": [], "prompts": [ASIDE]}, {"models": [], "_unmapped": {"templates": [ASIDE]}}),
        ({"templates": [ASIDE]}, {"_unmapped": {"templates": [ASIDE]}}),
    ],
)
def test_prompts_may_come_to_no_template(
    tmp_path: Path, parts: frozenset[Part], old: dict[str, Any], new: dict[str, Any]
) -> None:
    write(tmp_path, "models/registry.json", json.dumps({"version": "1.2.0", **old}))
    changes = plan_of(tmp_path, parts=parts).changes
    [written] = [change for change in changes if str(change.path) == "models/registry.json"]
    assert isinstance(written, WriteFile)
    assert json.loads(written.after) == {"version": "1.2.0", **new}


def test_no_registry_is_made_behind_a_link(tmp_path: Path) -> None:
    write(tmp_path, "models/registry.json", REGISTRY)
    write(tmp_path, "config.json", '{"registry": {"path": "./data/registry.sqlite"}}')
    assert str(plan_of(tmp_path).database) == "data/registry.sqlite"
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data").symlink_to("elsewhere")
    plan = plan_of(tmp_path)
    assert plan.database is None
    assert any("models import" in note for note in plan.notes)


@pytest.mark.parametrize(
    ("registry", "there"),
    [
        ({"path": "./own.sqlite"}, "own.sqlite"),
        ({}, "models/registry.sqlite"),
        ({"url": "postgresql://u:secret@db/x"}, ""),
    ],
)
def test_model_files_stay_where_the_registry_of_a_service_has_them(
    tmp_path: Path, registry: dict[str, Any], there: str
) -> None:
    write(tmp_path, "config.json", json.dumps({"registry": registry}))
    write(tmp_path, "models/chat.gguf", gguf())
    if there:
        assert MoveFile in map(type, plan_of(tmp_path).changes)
        write(tmp_path, there, b"")
    for parts in (EVERYTHING, frozenset({Part.MODELS})):
        plan = plan_of(tmp_path, parts)
        assert list(plan.changes) == []
        (note,) = (note for note in plan.notes if "stay where they are" in note)
        assert "secret" not in note
