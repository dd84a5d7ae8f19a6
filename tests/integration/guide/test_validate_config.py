"""The section "Configuration Validator" of the tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.guide.command_line import done, refused
from integration.guide.projects import CONFIGURATION, Migrated, read_json


def put(folder: Path, values: Any) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(values))
    return file


def test_the_validator_takes_the_guides_new_configuration(tmp_path: Path) -> None:
    done("validate-config", put(tmp_path, read_json(CONFIGURATION)["new"]))


def test_the_validator_takes_every_key_of_1_2(tmp_path: Path) -> None:
    whole = {
        "performance": {"maxConcurrent": 100, "maxQueue": 100, "timeout": 1000},
        "cache": {"enabled": True, "ttl": 0},
        "logging": {"level": "debug", "file": "./logs/router.log"},
        "models": {"cacheDir": "./models", "autoDownload": True},
        "routing": {"strategy": "balanced", "enableFallback": True},
    }
    done("validate-config", put(tmp_path, whole))


@pytest.mark.parametrize(
    ("section", "key", "value", "allowed"),
    [
        ("performance", "maxConcurrent", 0, "1 to 100"),
        ("performance", "maxConcurrent", 101, "1 to 100"),
        ("performance", "timeout", 999, "1000"),
        ("cache", "enabled", "perhaps", "true or false"),
        ("cache", "ttl", -1, "0"),
        ("logging", "level", "loud", "debug, info, warn or error"),
    ],
)
def test_the_validator_refuses_what_the_guides_does(
    tmp_path: Path, section: str, key: str, value: object, allowed: str
) -> None:
    said = refused("validate-config", put(tmp_path, {section: {key: value}})).said
    assert f"{section}.{key}" in said
    assert str(value) in said
    assert allowed in said


def test_the_validator_shows_the_place_and_the_nearest_key(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text('{\n  "cache": {\n    "enabeld": true\n  }\n}\n')
    said = refused("validate-config", file).said
    assert "config.json:3:5" in said
    assert "enabled" in said


@pytest.mark.parametrize("place", ["config/config.json", "config.json", ".llmrouter.json"])
def test_validate_config_takes_each_result(migrated: Migrated, place: str) -> None:
    done("validate-config", migrated.folder / place)
