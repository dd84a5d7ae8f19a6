"""What the guide's own scripts get wrong, one point after the other: 1 to 8 of 17."""

from __future__ import annotations

from pathlib import Path

from integration.guide.command_line import done, refused
from integration.guide.projects import project_of_v1_0, read_json, state
from integration.guide.small_project import (
    fields,
    folder_with,
    migrated,
    migrated_json,
    migrated_models,
    refused_models,
)

LOCAL = {"type": "gguf", "path": "./m.gguf"}


def test_01_the_validator_takes_the_whole_new_configuration(tmp_path: Path) -> None:
    new = {
        "performance": {"maxConcurrent": 10, "timeout": 30000},
        "cache": {"enabled": True, "ttl": 3600},
        "logging": {"level": "info", "file": "./router.log"},
        "models": {"cacheDir": "./models", "autoDownload": False},
        "routing": {"strategy": "balanced", "enableFallback": True},
    }
    folder = folder_with(tmp_path / "new", {"config.json": new})
    done("validate-config", folder / "config.json")
    wrong = folder_with(tmp_path / "wrong", {"config.json": {**new, "cache": {"ttl": -1}}})
    assert "cache.ttl" in refused("validate-config", wrong / "config.json").said


def test_02_values_that_are_falsy_survive(tmp_path: Path) -> None:
    old = {
        "enableCaching": 0,
        "cacheTTL": 0,
        "autoDownload": "false",
        "enableFallback": False,
        "logLevel": None,
        "logFile": "",
    }
    new, report = migrated_json(tmp_path, "config.json", old)
    assert new == {
        "cache": {"enabled": False, "ttl": 0},
        "models": {"autoDownload": False},
        "routing": {"enableFallback": False},
    }
    told = fields(report)
    assert told.keys() == old.keys()
    assert [told[key]["fate"] for key in ("logLevel", "logFile")] == ["unmapped"] * 2
    assert "null means not set" in told["logLevel"]["note"]
    assert "not set" in told["logFile"]["note"]


def test_03_a_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    folder = project_of_v1_0(tmp_path / "desk")
    assert migrated(folder)["applied"]
    first = state(folder)
    for part in ([], ["config"], ["env"], ["registry"], ["models"], ["prompts"]):
        report = migrated(folder, *part)
        assert (report["nothingToDo"], report["applied"]) == (True, False), part
        assert "nothing to do" in done("migrate", *part, folder, "--yes").said
    assert state(folder) == first


def test_04_each_key_comes_along_and_none_is_made_up(tmp_path: Path) -> None:
    old = {
        "maxConcurrentRequests": 3,
        "requestTimeout": 5000,
        "enableCaching": True,
        "cacheTTL": 60,
        "logLevel": "debug",
        "logFile": "./a.log",
        "modelCacheDir": "./weights",
        "autoDownload": True,
        "routingStrategy": "random",
        "enableFallback": True,
        "retries": [1, {"pause": 0}],
    }
    new, report = migrated_json(tmp_path / "all", "config.json", old)
    assert new == {
        "performance": {"maxConcurrent": 3, "timeout": 5000},
        "cache": {"enabled": True, "ttl": 60},
        "logging": {"level": "debug", "file": "./a.log"},
        "models": {"cacheDir": "./weights", "autoDownload": True},
        "routing": {"strategy": "random", "enableFallback": True},
        "_unmapped": {"retries": [1, {"pause": 0}]},
    }
    told = fields(report)
    assert {path for path, one in told.items() if one["fate"] == "kept"} == {
        "retries[0]",
        "retries[1].pause",
    }
    assert all(one["target"] for one in told.values())
    single, _ = migrated_json(tmp_path / "one", "config.json", {"logLevel": "warn"})
    assert single == {"logging": {"level": "warn"}}


def test_05_a_ttl_is_in_seconds(tmp_path: Path) -> None:
    new, report = migrated_json(tmp_path / "long", "config.json", {"cacheTTL": 3600000})
    assert new == {"cache": {"ttl": 3600000}}  # nobody guesses
    note = fields(report)["cacheTTL"]["note"]
    assert "seconds" in note
    assert "milliseconds" in note
    _, usual = migrated_json(tmp_path / "usual", "config.json", {"cacheTTL": 3600})
    assert not fields(usual)["cacheTTL"]["note"]


def test_06_ids_stay_and_each_is_there_once(tmp_path: Path) -> None:
    both = {"id": "chat-v2", "name": "Chat", **LOCAL}
    (one, other), _ = migrated_models(tmp_path / "ids", both, {"name": "plain", **LOCAL})
    assert (one["id"], one["name"]) == ("chat-v2", "Chat")
    assert (other["id"], other["name"]) == ("plain", "plain")
    said = refused_models(
        tmp_path / "twice", {"name": "plain", **LOCAL}, both, {**both, "name": "B"}
    )
    assert "chat-v2" in said
    assert "models[1]" in said
    assert "models[2]" in said


def test_07_settings_of_models_mean_what_they_meant(tmp_path: Path) -> None:
    model = {
        "name": "m",
        **LOCAL,
        "context_length": 4096,
        "default_temperature": 0,
        "speed": 0,
        "memory": 0,
        "parameters": {"contextLength": 8192, "topP": 0.5},
    }
    text = {"name": "n", **LOCAL, "parameters": "fast"}
    (one, other), _ = migrated_models(tmp_path, model, text)
    assert one["config"] == {"contextLength": 4096, "temperature": 0, "topP": 0.5}
    assert one["performance"] == {"tokensPerSecond": 0, "memoryUsage": 0}
    assert one["parameters"] == {"contextLength": 8192}  # not lost, and read by nobody
    assert other["parameters"] == "fast"
    assert other["config"] == {"temperature": 0.7}


def test_08_what_cannot_be_migrated_is_told_and_kept(tmp_path: Path) -> None:
    nameless = {"type": "gguf", "path": "./nameless.gguf"}
    nowhere = {"name": "nowhere", "type": "gguf", "note": None}
    far = {"name": "far", "type": "api", "provider": "openai", "path": "gpt-4o"}
    folder = folder_with(tmp_path, {"models/registry.json": {"models": [nameless, far, nowhere]}})
    report = migrated(folder, "registry")
    found = read_json(folder / "models/registry.json")
    assert [(one["id"], one["provider"]) for one in found["models"]] == [("far", "openai")]
    assert found["_unmapped"]["models"] == [nameless, nowhere]
    notes = "\n".join(report["notes"])
    assert "models[0] has neither a name nor an id" in notes
    assert "models[2] has neither a source nor a provider" in notes
    kept = [path for path, one in fields(report).items() if one["fate"] == "kept"]
    assert {"models[0].type", "models[0].path", "models[2].name", "models[2].note"} <= set(kept)
