"""Files of other programs, in folders of ours and elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.parts import Part
from llm_runner_router.migrate.planner import plan_of
from unit.migrate.test_planner import API, carry_out, write, writes

SEQUELIZE = '{"development": {"username": "u", "dialect": "postgres"}, "production": {}}'
EXPRESS = '{"port": 3000, "db": {"host": "h"}, "server": {"port": 8080, "host": "0.0.0.0"}}'
REGISTRY = json.dumps({"version": "1.2.0", "models": [API]})


def test_the_file_of_another_program_stays_beside_ours(tmp_path: Path) -> None:
    write(tmp_path, "config/config.json", SEQUELIZE)
    write(tmp_path, ".llmrouter.json", '{"cacheTTL": 5}')
    write(tmp_path, "models/registry.json", REGISTRY)
    plan = plan_of(tmp_path)
    database = {"registry": {"path": "./models/registry.sqlite"}}
    assert writes(plan) == {".llmrouter.json": {"cache": {"ttl": 5}, **database}}
    assert str(plan.config) == ".llmrouter.json"
    note = "config/config.json stays as it is: nothing in it is a setting of ours"
    (told,) = [each for each in plan.notes if each.startswith(note)]
    assert told.endswith("A service reads it first: start it with --config .llmrouter.json")
    carry_out(plan)
    assert not plan_of(tmp_path).changes


def test_a_configuration_is_made_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "models/registry.json", REGISTRY)
    write(tmp_path, "config.json", SEQUELIZE)
    assert list(writes(plan_of(tmp_path))) == ["config/config.json"]
    write(tmp_path, "config/config.json", SEQUELIZE)
    assert list(writes(plan_of(tmp_path))) == [".llmrouter.json"]


def test_a_file_that_a_program_gives_the_router_is_ours(tmp_path: Path) -> None:
    write(tmp_path, "config.json", '{"speed": 5}')
    assert not plan_of(tmp_path).changes
    write(tmp_path, "app.js", "const router = new LLMRouter('./config.json');\n")
    assert writes(plan_of(tmp_path)) == {"config.json": {"_unmapped": {"speed": 5}}}


def test_a_file_of_the_name_that_is_a_routers_is_ours(tmp_path: Path) -> None:
    write(tmp_path, ".llmrouter.json", '{"defaultModel": "m", "models": ["m"]}')
    aside = {"defaultModel": "m", "models": ["m"]}
    assert writes(plan_of(tmp_path)) == {".llmrouter.json": {"_unmapped": aside}}


@pytest.mark.parametrize("parts", [frozenset(Part), frozenset({Part.CONFIG})])
def test_a_folder_without_anything_of_a_router_is_refused(
    tmp_path: Path, parts: frozenset[Part]
) -> None:
    write(tmp_path, "config.json", EXPRESS)
    write(tmp_path, "package.json", '{"dependencies": {"express": "4"}}')
    with pytest.raises(InvalidConfigError, match=r"^folder: .*--from VERSION"):
        plan_of(tmp_path, parts)
    found = writes(plan_of(tmp_path, parts, "1.0"))
    assert found["config.json"]["_unmapped"] == {"port": 3000, "db": {"host": "h"}}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("package.json", '{"dependencies": {"llm-runner-router": "^1.2.0"}, "type": "module"}'),
        ("app.mjs", "import { LLMRouter } from 'llm-runner-router';\n"),
        (".llmrouter.json", "{}"),
        (".env", "LLM_LOG_LEVEL=info\n"),
        ("models/registry.json", '{"version": "1.2.0", "models": []}'),
        ("models/chat.gguf", b""),
        ("config/config.json", '{"cacheTTL": 1}'),
        ("config/config.json", '{"performance": {"maxConcurrent": 1}}'),
    ],
)
def test_whatever_is_of_a_router_tells_that_its_files_are_too(
    tmp_path: Path, name: str, content: str | bytes
) -> None:
    write(tmp_path, "config.json", EXPRESS)
    write(tmp_path, name, content)
    assert "_unmapped" in writes(plan_of(tmp_path))["config.json"]
