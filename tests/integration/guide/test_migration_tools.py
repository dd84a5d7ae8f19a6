"""The section "Migration Tools": whole folders of every older version, by the real command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from integration.guide.command_line import done, refused
from integration.guide.projects import (
    BACKUPS,
    DATABASE,
    MODEL_FILES,
    MODES,
    Migrated,
    expected,
    expected_json,
    project,
    read_json,
    state,
)

GUIDES_KEYS = ("id", "name", "format", "source", "config")
"""What the guide's script writes of a model file."""


def fates(report: Any, path: str) -> dict[str, tuple[str, str]]:
    """What became of each value of a file, by its place in the input."""
    (change,) = [one for one in report["changes"] if one["path"] == path]
    return {one["path"]: (one["fate"], one["target"]) for one in change["fields"] if one["path"]}


def test_the_version_is_told_by_the_content(migrated: Migrated) -> None:
    assert migrated.report["source"] == "1.0"
    assert migrated.report["applied"]


@pytest.mark.parametrize("path", ["config/config.json", "config.json", ".llmrouter.json"])
def test_configuration_in_each_place(migrated: Migrated, path: str) -> None:
    assert read_json(migrated.folder / path) == expected_json("v1_0", path)


def test_every_setting_is_accounted_for(migrated: Migrated) -> None:
    assert fates(migrated.report, "config.json") == {
        "_comment": ("kept", "_comment"),
        "maxConcurrentRequests": ("mapped", "performance.maxConcurrent"),
        "requestTimeout": ("mapped", "performance.timeout"),
        "enableCaching": ("mapped", "cache.enabled"),
        "cacheTTL": ("mapped", "cache.ttl"),
        "logLevel": ("mapped", "logging.level"),
        "logFile": ("mapped", "logging.file"),
        "modelCacheDir": ("mapped", "models.cacheDir"),
        "autoDownload": ("mapped", "models.autoDownload"),
        "routingStrategy": ("mapped", "routing.strategy"),
        "enableFallback": ("mapped", "routing.enableFallback"),
        "team": ("kept", "_unmapped.team"),
    }


def test_the_variables(migrated: Migrated) -> None:
    assert (migrated.folder / ".env").read_bytes() == expected("v1_0")[".env"]


def test_the_package(migrated: Migrated) -> None:
    package = (migrated.folder / "package.json").read_bytes()
    assert package == expected("v1_0")["package.json"]


def test_the_registry(migrated: Migrated) -> None:
    found = read_json(migrated.folder / "models/registry.json")
    wanted = expected_json("v1_0", "models/registry.json")
    assert found.keys() == wanted.keys()
    assert found["version"] == "1.2.0"
    assert found["templates"] == wanted["templates"]
    assert found["strategies"] == wanted["strategies"]
    models = {model["id"]: model for model in found["models"]}
    assert list(models)[:3] == ["my-model", "support-chat", "gpt35"]
    assert models == {model["id"]: model for model in wanted["models"]}


def test_the_model_files(migrated: Migrated) -> None:
    for old, new in MODEL_FILES.items():
        assert old not in migrated.after
        assert migrated.after[new].content == migrated.before[old].content, new
    configs = [path for path in expected("v1_0") if path.startswith("models/configs/")]
    assert len(configs) == 4
    for path in configs:
        found = read_json(migrated.folder / path)
        assert {key: found[key] for key in GUIDES_KEYS} == expected_json("v1_0", path)


def test_nothing_else_is_there_and_nothing_else_has_changed(migrated: Migrated) -> None:
    files = {path for path, entry in migrated.after.items() if entry.content is not None}
    assert files == {*expected("v1_0"), *MODEL_FILES.values(), DATABASE}
    for path in ("server.js", "ecosystem.config.js"):
        assert migrated.after[path] == migrated.before[path]


def test_modes_stay(migrated: Migrated) -> None:
    for path, mode in MODES.items():
        assert migrated.after[MODEL_FILES.get(path, path)].mode == mode, path
    assert not migrated.after["models/registry.json"].mode & 0o022


def test_what_only_people_can_do_is_told(migrated: Migrated) -> None:
    notes = "\n".join(migrated.report["notes"])
    assert re.search(r"server\.js:2: require.* import", notes)
    assert re.search(r"server\.js:10: router\.addModel is registerModel now", notes)
    assert re.search(r"server\.js:14: router\.generate is process now", notes)
    assert re.search(r"server\.js:14: input: is prompt: now", notes)
    assert re.search(r"server\.js:14: max_tokens: is maxTokens: now", notes)
    assert re.search(r"server\.js:15: result\.text is result\.response now", notes)
    assert re.search(r"ecosystem\.config\.js: .*pm2", notes)


def test_the_backup_holds_what_was_changed(migrated: Migrated) -> None:
    (listed,) = done("backups", "list", migrated.folder, "--json").json
    assert listed["name"] == migrated.report["backup"]
    assert listed["state"] == "whole"
    changed = {"package.json", ".env", "config/config.json", "config.json", ".llmrouter.json"}
    assert set(listed["files"]) == {*changed, "models/registry.json"}
    assert set(listed["moved"]) == set(MODEL_FILES)
    kept = {path.name for path in (migrated.folder / BACKUPS).rglob("*") if path.is_file()}
    assert {Path(path).name for path in changed} <= kept


def test_a_second_run_has_nothing_to_do(migrated: Migrated) -> None:
    report = done("migrate", migrated.folder, "--yes", "--json").json
    assert (report["nothingToDo"], report["applied"], report["changes"]) == (True, False, [])
    assert "nothing to do" in done("migrate", migrated.folder, "--yes").said
    assert state(migrated.folder) == migrated.after
    assert len(done("backups", "list", migrated.folder, "--json").json) == 1


def test_a_dry_run_shows_a_diff_and_changes_nothing(tmp_path: Path) -> None:
    folder = project("v1_1", tmp_path / "app")
    before = state(folder)
    shown = done("migrate", folder, "--dry-run").out
    assert re.search(r'^-  "maxConcurrentRequests": 8', shown, re.MULTILINE)
    assert re.search(r'^\+    "maxConcurrent": 8', shown, re.MULTILINE)
    assert re.search(r"mapped +maxConcurrentRequests → performance\.maxConcurrent", shown)
    assert state(folder) == before
    assert not (folder / BACKUPS).exists()


def test_without_yes_nobody_is_there_to_ask(tmp_path: Path) -> None:
    folder = project("v1_1", tmp_path / "app")
    before = state(folder)
    assert "--yes" in refused("migrate", folder).said
    assert state(folder) == before


@pytest.mark.parametrize(("name", "version"), [("v0", "0.x"), ("v1_1", "1.1")])
def test_the_other_versions(tmp_path: Path, name: str, version: str) -> None:
    folder = project(name, tmp_path / name)
    report = done("migrate", folder, "--yes", "--json").json
    assert report["source"] == version
    wanted = expected(name)
    after = state(folder)
    assert {path for path, entry in after.items() if entry.content is not None} == wanted.keys()
    for path, content in wanted.items():
        assert after[path].content == content, path


def test_0_x_tells_of_require_and_of_the_constructor(tmp_path: Path) -> None:
    folder = project("v0", tmp_path / "notes")
    notes = "\n".join(done("migrate", folder, "--dry-run", "--json").json["notes"])
    assert re.search(r"index\.js:2: require\('llm-runner-router'\) is import now", notes)
    assert re.search(r"index\.js:4: new LLMRouter\(path\) is .*configFile: path", notes)
    assert re.search(r"index\.js:5: router\.loadModel is registerModel", notes)
    assert '"type": "module"' in notes


def test_1_2_has_nothing_to_do(tmp_path: Path) -> None:
    folder = project("v1_2", tmp_path / "app")
    before = state(folder)
    report = done("migrate", folder, "--yes", "--json").json
    assert (report["source"], report["nothingToDo"]) == ("1.2", True)
    assert state(folder) == before
    assert not (folder / BACKUPS).exists()


def test_the_guides_old_registry_becomes_the_registry(tmp_path: Path) -> None:
    folder = project("old_registry", tmp_path / "app")
    done("migrate", folder, "--yes")
    wanted = expected("old_registry")
    files = {path for path, entry in state(folder).items() if entry.content is not None}
    assert files == {*wanted, DATABASE}
    for path in wanted:
        assert read_json(folder / path) == expected_json("old_registry", path), path


def test_a_given_version_is_used(tmp_path: Path) -> None:
    folder = project("v1_1", tmp_path / "app")
    arguments = ("--from", "1.0.5", "--to", "1.2.1", "--dry-run", "--json")
    assert done("migrate", folder, *arguments).json["source"] == "1.0"
    assert "2.0" in refused("migrate", folder, "--to", "2.0", "--dry-run").said


def test_a_result_that_cannot_start_leaves_everything(tmp_path: Path) -> None:
    folder = project("v1_1", tmp_path / "app")
    config = folder / "config/config.json"
    config.write_text(config.read_text().replace("8", "800"))
    before = state(folder)
    said = refused("migrate", folder, "--yes").said
    assert "maxConcurrentRequests" in said
    assert "800" in said
    assert "1 to 100" in said
    assert state(folder) == before
