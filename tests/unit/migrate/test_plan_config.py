"""Which configurations are written, and what they have to say of a service."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.planner import plan_of
from unit.migrate.test_planner import API, fields_of, old_folder, write, writes


def test_all_three_places_of_configurations(tmp_path: Path) -> None:
    old_folder(tmp_path)
    write(tmp_path, "config.json", '{"cacheTTL": 5}')
    write(tmp_path, ".llmrouter.json", '{"logLevel": "warn"}')
    plan = plan_of(tmp_path)
    found = writes(plan)
    assert found["config.json"] == {"cache": {"ttl": 5}}
    assert found[".llmrouter.json"] == {"logging": {"level": "warn"}}
    assert "registry" in found["config/config.json"]
    assert sum("the service reads config/config.json" in note for note in plan.notes) == 2


@pytest.mark.parametrize(
    ("registry", "database"),
    [
        ({"path": None}, "models/registry.sqlite"),
        ({}, "models/registry.sqlite"),
        ({"path": "./data/own.sqlite"}, "data/own.sqlite"),
        ({"path": "/var/lib/own.sqlite"}, None),
        ({"path": "../own.sqlite"}, None),
        ({"url": "postgresql://u:secret@db/x"}, None),
    ],
)
def test_where_the_service_keeps_its_models(
    tmp_path: Path, registry: dict[str, Any], database: str | None
) -> None:
    write(old_folder(tmp_path), "config/config.json", json.dumps({"registry": registry}))
    plan = plan_of(tmp_path)
    assert (None if plan.database is None else str(plan.database)) == database
    assert any("models import" in note for note in plan.notes) is (database is None)
    changed = writes(plan).get("config/config.json", {"registry": registry})
    if registry in ({}, {"path": None}):
        assert changed == {"registry": {"path": "./models/registry.sqlite"}}
        added = [field for field in fields_of(plan, "config/config.json") if not field.path]
        assert [field.target for field in added] == ["registry.path"]
    else:
        assert changed == {"registry": registry}


def test_what_a_configuration_names_is_looked_at(tmp_path: Path) -> None:
    """A service would refuse to start on the JSON file, and no trial opens it."""
    write(tmp_path, "models/registry.json", json.dumps({"version": "1.2.0", "models": [API]}))
    values = {"registry": {"path": "./models/registry.json"}, "cacheTTL": 3}
    write(tmp_path, "config.json", json.dumps(values))
    with pytest.raises(InvalidConfigError, match=r"^config\.json: registry\.path: .* an SQLite"):
        plan_of(tmp_path)
    (tmp_path / "config.json").rename(tmp_path / ".llmrouter.json")
    write(tmp_path, "config/config.json", '{"logFile": "./models/registry.json/x.log"}')
    message = r"^config/config\.json: logFile: .*registry\.json is none"
    with pytest.raises(InvalidConfigError, match=message):
        plan_of(tmp_path)
    write(tmp_path, "config/config.json", '{"logFile": "./logs/router.log"}')
    assert writes(plan_of(tmp_path))["config/config.json"]["logging"]
    assert not (tmp_path / "logs").exists()
