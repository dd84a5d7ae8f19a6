"""Plans of whole folders. What is expected is written by hand from the guide."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from core import gguf_bytes as gb
from llm_runner_router.errors import InvalidConfigError, InvalidRequestError, RouterError
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.parts import Part
from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile
from llm_runner_router.migrate.planner import plan_of
from unit.inspection.header_files import number, text

CONFIG = '{\n    "maxConcurrentRequests": 4,\n    "cacheTTL": 0\n}\n'
ENVIRONMENT = "LLM_LOG_LEVEL=warn\nTOKEN=\udcff\n"
PACKAGE = '{"dependencies": {"llm-runner-router": "^1.0.5"}}\n'
REGISTRY = (
    '{"models": [{"name": "chat", "displayName": "Chat", "type": "gguf",'
    ' "path": "./models/chat.gguf", "context_length": 512, "default_temperature": 0}],'
    ' "prompts": [{"name": "ask", "template": "Q: {prompt}", "stop_tokens": ["Q:"]}]}'
)
MODEL: dict[str, Any] = {
    "id": "chat",
    "name": "Chat",
    "format": "gguf",
    "source": "./models/cache/chat.gguf",
    "config": {"contextLength": 512, "temperature": 0},
    "capabilities": ["text-generation"],
    "performance": {"tokensPerSecond": None, "memoryUsage": None},
}
API: dict[str, Any] = {"id": "far", "name": "Far", "format": "api", "provider": "openai"}
TEMPLATE: dict[str, Any] = {
    "id": "ask",
    "name": "ask",
    "format": "Q: {prompt}",
    "stopTokens": ["Q:"],
    "modelCompatibility": [],
}


def gguf() -> bytes:
    """A small file that can be read."""
    keys = [text("general.architecture", "llama"), number("llama.context_length", 8192)]
    tensors = [gb.tensor(b"a", (8,))]
    return gb.GgufBytes(entries=keys, tensors=tensors, data=b"\0" * 32).build()


def write(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode(errors="surrogateescape")
    path.write_bytes(data)


def old_folder(folder: Path) -> Path:
    write(folder, "config/config.json", CONFIG)
    write(folder, ".env", ENVIRONMENT)
    write(folder, "package.json", PACKAGE)
    write(folder, "models/registry.json", REGISTRY)
    write(folder, "models/chat.gguf", gguf())
    write(folder, "app.js", "const { LLMRouter } = require('llm-runner-router');\n")
    return folder


def writes(plan: Plan) -> dict[str, Any]:
    """What each file that is written holds: JSON as its content, all else as text."""
    found: dict[str, Any] = {}
    for change in plan.changes:
        if isinstance(change, WriteFile):
            name = str(change.path)
            is_json = name.endswith(".json")
            found[name] = json.loads(change.after) if is_json else change.after
    return found


def moves(plan: Plan) -> list[tuple[str, str]]:
    return [
        (str(change.path), str(change.target))
        for change in plan.changes
        if isinstance(change, MoveFile)
    ]


def carry_out(plan: Plan) -> None:
    """As a transaction does, for those who look at plans alone."""
    for change in plan.changes:
        path = plan.folder / change.path
        if isinstance(change, MoveFile):
            (plan.folder / change.target).parent.mkdir(parents=True, exist_ok=True)
            path.rename(plan.folder / change.target)
        else:
            assert change.before == (path.read_bytes() if path.exists() else None)
            write(plan.folder, str(change.path), change.after)
    if plan.database is not None:
        write(plan.folder, str(plan.database), b"")


def fields_of(plan: Plan, name: str) -> Sequence[Field]:
    (found,) = [change for change in plan.changes if str(change.path) == name]
    assert isinstance(found, WriteFile)
    return found.fields


def test_a_whole_folder(tmp_path: Path) -> None:
    plan = plan_of(old_folder(tmp_path))
    assert (plan.folder, plan.source) == (tmp_path, "1.0")
    assert moves(plan) == [("models/chat.gguf", "models/cache/chat.gguf")]
    found = writes(plan)
    own = found.pop("models/configs/chat.json")
    assert (own["id"], own["source"]) == ("chat", "./models/cache/chat.gguf")
    assert found == {
        "config/config.json": {
            "performance": {"maxConcurrent": 4},
            "cache": {"ttl": 0},
            "registry": {"path": "./models/registry.sqlite"},
        },
        ".env": b"LOG_LEVEL=warn\nTOKEN=\xff\n",
        "package.json": {"dependencies": {"llm-runner-router": "^1.2.0"}, "type": "module"},
        "models/registry.json": {
            "version": "1.2.0",
            "models": [MODEL],
            "templates": [TEMPLATE],
            "strategies": {},
        },
    }
    assert (str(plan.config), str(plan.registry)) == ("config/config.json", "models/registry.json")
    assert str(plan.database) == "models/registry.sqlite"
    assert plan.notes[0] == (
        "version 1.0, told by config/config.json: flat setting maxConcurrentRequests; "
        "package.json: llm-runner-router 1.0; app.js: require; "
        'package.json: no "type": "module"; models/registry.json: prompts; .env: LLM_LOG_LEVEL'
    )
    assert "app.js:1: require('llm-runner-router') is import now" in plan.notes


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        (Part.ENV, {"package.json": "// {}", "models/registry.json": "[]", "config.json": "{,}"}),
        (Part.CONFIG, {"package.json": "// {}", "models/registry.json": "[]"}),
        (Part.PROMPTS, {"package.json": "// {}", "config.json": "{,}"}),
    ],
)
def test_a_part_alone_needs_no_file_of_another(
    tmp_path: Path, part: Part, wrong: dict[str, str]
) -> None:
    write(tmp_path, ".env", ENVIRONMENT)
    write(tmp_path, "config.json", '{"cacheTTL": 60}')
    write(tmp_path, "models/registry.json", REGISTRY)
    for name, content in wrong.items():
        write(tmp_path, name, content)
    assert len(plan_of(tmp_path, parts=frozenset({part})).changes) == 1
    for name in wrong:
        with pytest.raises(InvalidConfigError):
            plan_of(tmp_path)
        (tmp_path / name).unlink()
    plan_of(tmp_path)


def test_contract_16_a_configuration_that_code_names_is_taken(tmp_path: Path) -> None:
    write(tmp_path, "app.js", "const llm = new LLMRouter('./settings/router.json')")
    write(tmp_path, "settings/router.json", '{"maxConcurrentRequests": 2}')
    plan = plan_of(tmp_path)
    assert writes(plan) == {"config/config.json": {"performance": {"maxConcurrent": 2}}}
    made = "config/config.json is made of settings/router.json, which stays"
    assert any(note.startswith(made) for note in plan.notes)
    write(tmp_path, "config.json", "{}")
    again = plan_of(tmp_path)
    assert writes(again) == {}
    assert "settings/router.json is not looked at: config.json is there" in again.notes


@pytest.mark.parametrize(
    "path", ["../router.json", "/etc/router.json", "a/../../b.json", "notes.txt", "missing.json"]
)
def test_no_configuration_from_elsewhere_is_taken(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "project"
    write(folder, "app.js", f"const llm = new LLMRouter('{path}')")
    write(folder, "notes.txt", '{"maxConcurrentRequests": 2}')
    write(tmp_path, "router.json", '{"maxConcurrentRequests": 2}')
    assert writes(plan_of(folder)) == {}


def test_what_the_script_of_the_guide_wrote_counts_before_what_it_read(tmp_path: Path) -> None:
    write(tmp_path, "config/old-config.json", '{"cacheTTL": 1}')
    write(tmp_path, "config/new-config.json", '{"cache": {"ttl": 60}}')
    plan = plan_of(tmp_path)
    assert writes(plan) == {"config/config.json": {"cache": {"ttl": 60}}}
    left = "config/old-config.json is not looked at: config/new-config.json is there"
    assert left in plan.notes


def test_a_plan_changes_nothing(tmp_path: Path) -> None:
    old_folder(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    plan_of(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_contract_3_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    carry_out(plan_of(old_folder(tmp_path)))
    again = plan_of(tmp_path)
    assert (again.source, list(again.changes), again.database) == ("1.2", [], None)
    assert list(again.notes) == ["app.js:1: require('llm-runner-router') is import now"]
    for version in ("0.x", "1.0", "1.1", "1.2"):
        assert list(plan_of(tmp_path, source=version).changes) == []
    for part in Part:
        assert list(plan_of(tmp_path, frozenset({part})).changes) == []


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        (Part.CONFIG, ["config/config.json"]),
        (Part.ENV, [".env"]),
        (Part.PACKAGE, ["package.json"]),
        (Part.REGISTRY, ["models/registry.json"]),
        (Part.PROMPTS, ["models/registry.json"]),
        (Part.MODELS, ["models/registry.json", "models/configs/chat.json", "models/chat.gguf"]),
    ],
)
def test_one_part_alone(tmp_path: Path, part: Part, changed: list[str]) -> None:
    plan = plan_of(old_folder(tmp_path), frozenset({part}))
    assert [str(change.path) for change in plan.changes] == changed
    assert plan.database is None
    assert (plan.config is not None) is (part is Part.CONFIG)
    assert (plan.registry is not None) is (part in {Part.REGISTRY, Part.MODELS})


def test_parts_one_by_one_are_the_whole(tmp_path: Path) -> None:
    whole, parts = old_folder(tmp_path / "whole"), old_folder(tmp_path / "parts")
    for part in (Part.PROMPTS, Part.CONFIG, Part.ENV, Part.PACKAGE, Part.REGISTRY, Part.MODELS):
        carry_out(plan_of(parts, frozenset({part}), "1.0"))
    carry_out(plan_of(parts))
    carry_out(plan_of(whole))
    found = [
        {
            str(path.relative_to(root)): path.read_bytes()
            for path in root.rglob("*")
            if path.is_file()
        }
        for root in (whole, parts)
    ]
    registries = [json.loads(files.pop("models/registry.json")) for files in found]
    assert registries[0] == registries[1]  # the order of keys is that of the steps
    assert found[0] == found[1]


def test_prompts_alone_leave_all_else_as_it_was(tmp_path: Path) -> None:
    plan = plan_of(old_folder(tmp_path), frozenset({Part.PROMPTS}))
    old = json.loads(REGISTRY)
    assert writes(plan)["models/registry.json"] == {
        "models": old["models"],
        "templates": [TEMPLATE],
    }
    kept = {
        field.path for field in fields_of(plan, "models/registry.json") if field.fate is Fate.KEPT
    }
    assert "models[0].context_length" in kept
    assert not any(path.startswith("prompts") for path in kept)


def test_sources_that_move_are_told(tmp_path: Path) -> None:
    write(tmp_path, "models/chat.gguf", gguf())
    entry = {"id": "chat", "name": "Chat", "format": "gguf", "source": "models/chat.gguf"}
    new = {"version": "1.2.0", "models": [entry], "templates": [], "strategies": {}}
    write(tmp_path, "models/registry.json", json.dumps(new))
    fields = fields_of(plan_of(tmp_path), "models/registry.json")
    (moved,) = [field for field in fields if field.path == "models[0].source"]
    assert (moved.fate, moved.note) == (Fate.MAPPED, "the file moves there")
    others = [field for field in fields if field is not moved]
    assert all(field.path == field.target and not field.note for field in others)


def test_models_without_anything_else_get_what_a_service_needs(tmp_path: Path) -> None:
    write(tmp_path, "models/chat.gguf", gguf())
    plan = plan_of(tmp_path)
    found = writes(plan)
    assert found["config/config.json"] == {"registry": {"path": "./models/registry.sqlite"}}
    assert [model["id"] for model in found["models/registry.json"]["models"]] == ["chat"]
    assert str(plan.database) == "models/registry.sqlite"
    carry_out(plan)
    assert list(plan_of(tmp_path).changes) == []


def test_a_folder_without_models_gets_no_registry(tmp_path: Path) -> None:
    write(tmp_path, "config.json", CONFIG)
    plan = plan_of(tmp_path)
    assert writes(plan) == {
        "config.json": {"performance": {"maxConcurrent": 4}, "cache": {"ttl": 0}}
    }
    assert (plan.registry, plan.database) == (None, None)


def test_a_registry_of_the_service_that_is_gone_is_told(tmp_path: Path) -> None:
    write(tmp_path, "config.json", '{"registry": {"path": "./models/registry.sqlite"}}')
    write(tmp_path, "models/registry.json", json.dumps({"version": "1.2.0", "models": [API]}))
    plan = plan_of(tmp_path)
    assert not plan.changes
    assert plan.database is None
    note = "models/registry.sqlite, the registry of the service, is not there"
    assert any(told.startswith(note) and "models import" in told for told in plan.notes)
    write(tmp_path, "models/registry.sqlite", b"")
    assert not any(note in told for told in plan_of(tmp_path).notes)


def test_an_empty_folder_has_nothing_to_do(tmp_path: Path) -> None:
    assert plan_of(tmp_path) == Plan(tmp_path, "1.2", [], [])


def test_files_of_the_guide_with_old_in_their_names(tmp_path: Path) -> None:
    write(tmp_path, "config/old-config.json", CONFIG)
    write(tmp_path, "models/old-registry.json", REGISTRY)
    plan = plan_of(tmp_path)
    found = writes(plan)
    assert found["config/config.json"]["performance"] == {"maxConcurrent": 4}
    assert found["models/registry.json"]["templates"] == [TEMPLATE]
    assert all(change.before is None for change in plan.changes if isinstance(change, WriteFile))
    carry_out(plan)
    again = plan_of(tmp_path)
    assert list(again.changes) == []
    assert any("old-registry.json is not looked at" in note for note in again.notes)
    assert any("old-config.json is not looked at" in note for note in again.notes)


def test_a_registry_of_the_service_that_is_there_stays(tmp_path: Path) -> None:
    write(old_folder(tmp_path), "models/registry.sqlite", b"SQLite format 3\0")
    plan = plan_of(tmp_path)
    assert plan.database is None
    assert any("models import" in note for note in plan.notes)


def test_contract_16_a_version_that_is_given_wins(tmp_path: Path) -> None:
    old_folder(tmp_path)
    assert writes(plan_of(tmp_path))["package.json"]["type"] == "module"
    plan = plan_of(tmp_path, source="1.1.3")
    assert plan.source == "1.1"
    assert not any("told by" in note for note in plan.notes)
    assert "type" not in writes(plan)["package.json"]


def test_contract_17_folders_of_1_1_have_a_path_too(tmp_path: Path) -> None:
    write(old_folder(tmp_path), "package.json", '{"dependencies": {"llm-runner-router": "1.1.0"}}')
    (tmp_path / "app.js").unlink()
    plan = plan_of(tmp_path)
    assert plan.source == "1.1"
    assert writes(plan)["config/config.json"]["performance"] == {"maxConcurrent": 4}
    assert writes(plan)["package.json"] == {"dependencies": {"llm-runner-router": "^1.2.0"}}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "config/config.json",
            '{"maxConcurrentRequests": 500}',
            r"config/config\.json: maxConcurrentRequests: 500 .*1 to 100",
        ),
        ("config.json", '{"cache": {"ttl": -1}}', r"config\.json: cache\.ttl: -1 .*≥ 0"),
        (".env", "LLM_MAX_CONCURRENT=0", r"\.env: LLM_MAX_CONCURRENT \(line 1\): 0 .*1 to 100"),
        ("package.json", '{"dependencies": 1}', r"package\.json: dependencies: 1 "),
        ("config.json", "[]", r"config\.json: "),
    ],
)
def test_what_is_wrong_is_named_with_its_file(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    write(old_folder(tmp_path), name, content)
    with pytest.raises(InvalidConfigError, match=f"^{message}"):
        plan_of(tmp_path)


def test_records_that_are_wrong_are_named_with_their_file(tmp_path: Path) -> None:
    twice = {"name": "a", "path": "./a.gguf", "type": "gguf"}
    write(old_folder(tmp_path), "models/registry.json", json.dumps({"models": [twice, twice]}))
    with pytest.raises(RouterError, match=r"models/registry\.json: .*models\[1\]"):
        plan_of(tmp_path)


def test_versions_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError, match=r"^from"):
        plan_of(tmp_path, source="3.0")
    with pytest.raises(InvalidRequestError, match=r"^to"):
        plan_of(tmp_path, target="1.1")


def test_what_a_plan_makes_is_inside_the_folder(tmp_path: Path) -> None:
    plan = plan_of(old_folder(tmp_path))
    paths = [change.path for change in plan.changes]
    assert all(isinstance(path, PurePosixPath) and not path.is_absolute() for path in paths)
