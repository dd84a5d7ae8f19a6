"""The tables of docs/migration.md are those of the code."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic.alias_generators import to_camel, to_snake

from llm_runner_router.checkpoints import generation_defaults
from llm_runner_router.cli import running
from llm_runner_router.config.problem import ConfigProblem
from llm_runner_router.config.sources import VARIABLES
from llm_runner_router.migrate import javascript
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.planner import plan_of
from llm_runner_router.migrate.prompts import OLD_KEYS as OLD_PROMPT_KEYS
from llm_runner_router.migrate.registry import migrated_registry
from llm_runner_router.migrate.report import as_json
from llm_runner_router.old.methods import OldNames
from llm_runner_router.old.model_names import OLD_KEYS, OTHER_SETTINGS
from llm_runner_router.old.model_words import OTHER_PROVIDERS
from llm_runner_router.old.settings import OLD_SETTINGS
from llm_runner_router.request_names import OLD_NAMES
from llm_runner_router.types import Chunk, Complete, Metrics, Request, Response
from unit.markdown import code, pairs, sections, table

PAGE = sections("migration.md")
FOLDER = PAGE["A folder of an older version"]
PROGRAMS = PAGE["Programs"]

MODEL: dict[str, Any] = {
    "name": "m",
    "displayName": "M",
    "type": "api",
    "path": "gpt-5",
    "provider": "openai",
    "context_length": 8,
    "default_temperature": 0.5,
    "parameters": {"topP": 0.5},
    "capabilities": ["chat"],
    "speed": 1,
    "memory": 2,
}
PROMPT = {
    "name": "p",
    "displayName": "P",
    "template": "{a}",
    "stop_tokens": ["x"],
    "compatible_models": ["m"],
}


def test_settings() -> None:
    assert pairs(FOLDER, "old key") == [
        (old, f"{section}.{name}") for old, (section, name) in OLD_SETTINGS.items()
    ]


def test_variables() -> None:
    assert pairs(FOLDER, "old name") == [(each.old_name, each.name) for each in VARIABLES]


def test_fates() -> None:
    assert [code(row[0])[0] for row in table(FOLDER, "fate")] == list(Fate)


@pytest.mark.parametrize(
    ("head", "kind", "record"),
    [("old key of a model", "models", MODEL), ("old key of a prompt", "templates", PROMPT)],
)
def test_keys_of_the_registry(head: str, kind: str, record: dict[str, Any]) -> None:
    """The code is asked where each key of a whole record goes."""
    old = "models" if kind == "models" else "prompts"
    places = {}
    for field in migrated_registry({old: [record]}).fields:
        if field.path.startswith(f"{old}[0]."):
            key = field.path.removeprefix(f"{old}[0].").replace("[", ".").split(".")[0]
            place = field.target.removeprefix(f"{kind}[0].").partition("[")[0]
            places[key] = "config" if key == "parameters" else place
    assert dict(pairs(FOLDER, head)) == places
    assert places.keys() == record.keys()


def test_no_old_key_is_left_out() -> None:
    assert MODEL.keys() >= OLD_KEYS
    assert PROMPT.keys() >= OLD_PROMPT_KEYS


def test_parameters_of_other_tools() -> None:
    assert dict(pairs(FOLDER, "parameter")) == OTHER_SETTINGS


def test_providers() -> None:
    assert dict(pairs(FOLDER, "old provider")) == OTHER_PROVIDERS


def test_the_keys_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"logLevel": "info"}))
    report = as_json(plan_of(tmp_path))
    told = [name for row in table(FOLDER, "key") for name in code(row[0])]
    assert sorted(told) == sorted([*report, "applied", "backup"])
    (write,) = report["changes"]
    change = next(row[1] for row in table(FOLDER, "key") if "`changes`" in row[0])
    assert write.keys() | {"move", "write", "target"} == set(code(change))
    named = ", ".join(f"`{each.name}`" for each in dataclasses.fields(Field)[:-1])
    assert f"Each of `fields` has {named} and `note`" in " ".join(FOLDER.split())


def test_exit_codes() -> None:
    codes = [running.FAILED, running.WRONG_USAGE, running.TRY_AGAIN, running.INTERRUPTED]
    assert [row[0] for row in table(FOLDER, "exit code")] == ["0", *map(str, codes)]


def test_the_keys_of_a_problem() -> None:
    text = " ".join(PAGE["Checking a configuration"].split())
    told = text.partition("each problem has")[2].partition(".")[0]
    assert code(told) == [field.name for field in dataclasses.fields(ConfigProblem)]


def test_methods() -> None:
    methods = pairs(PROGRAMS, "v1.0")
    assert dict(methods) == {
        old: new for old, new in javascript.METHODS.items() if old != "loadModel"
    }
    for old, new, python in table(PROGRAMS, "v1.0"):
        (name,) = code(python)
        assert name == to_snake(code(new)[0])
        deprecated = getattr(OldNames, to_snake(code(old)[0]))
        assert f"Deprecated: ``{name}``" in str(deprecated.__doc__)


def test_parameters() -> None:
    section = PROGRAMS.partition("### Parameters")[2]
    told = dict(pairs(section, "v1.0"))
    assert told == javascript.PARAMETERS
    assert told.items() >= OLD_NAMES.items()


def test_answers() -> None:
    section = PROGRAMS.partition("### Answers and events")[2]
    assert dict(pairs(section, "v1.0")) == javascript.ANSWERS
    fields = {field.name for field in dataclasses.fields(Response)}
    assert {code(row[2])[0] for row in table(section, "v1.0")} <= fields


def test_events() -> None:
    assert dict(pairs(PROGRAMS, "event of v1.0")) == javascript.EVENTS
    assert [code(row[2])[0] for row in table(PROGRAMS, "event of v1.0")] == [
        Chunk.__name__,
        Complete.__name__,
    ]


def test_generation_defaults() -> None:
    told = pairs(PAGE["Transformers"], "`generation_config.json`")
    assert told == [(old, to_camel(new)) for old, new in generation_defaults.NAMES.items()]


def test_the_same_fields_at_openai() -> None:
    rows = {row[0]: row[1] for row in table(PAGE["OpenAI's clients"], "OpenAI")}
    same = next(first for first, second in rows.items() if second == "the same")
    assert set(code(same)) <= {field.name for field in dataclasses.fields(Request)}
    counts = {name.removeprefix("metrics.") for name in code(rows[next(reversed(rows))])}
    assert counts <= {field.name for field in dataclasses.fields(Metrics)}
