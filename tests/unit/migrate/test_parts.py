from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from llm_runner_router.errors import InvalidConfigError, InvalidRequestError
from llm_runner_router.migrate.parts import named
from llm_runner_router.migrate.planner import plan_of
from unit.migrate.test_planner import write


def test_errors_say_which_file_they_are_of_and_none_of_its_secrets() -> None:
    address = "https://u:hush@x.example"
    with pytest.raises(InvalidConfigError) as caught, named(PurePosixPath("a.json")):
        raise InvalidConfigError(f"a.{address}", address, f"as {address}", reason="WRONG")
    error = caught.value
    assert (error.field, error.reason) == ("a.json: a.https://u:…@x.example", "WRONG")
    assert (error.value, error.allowed) == ("https://…@x.example", "as https://u:…@x.example")
    assert "hush" not in error.message


@pytest.mark.parametrize(
    "registry",
    [
        {"models": {"gpt": {"provider": "openai", "apiKey": "hush"}}},
        {"prompts": [{"name": "p", "template": "https://u:hush@x.example", "format": "x"}]},
        {"prompts": [{"name": "p", "template": "x", "format": "pwd='hush hush2'"}]},
        {"models": [{"name": "m", "path": "m.gguf", "config": "apiKey=hush"}]},
        {"version": {"apiKey": "hush"}},
        {"_unmapped": {"models": {"apiKey": "hush"}}},
        {"_unmapped": "password=hush"},
    ],
)
def test_secrets_of_a_registry_are_not_told(tmp_path: Path, registry: dict[str, Any]) -> None:
    write(tmp_path, "models/registry.json", json.dumps(registry))
    with pytest.raises(InvalidRequestError, match=r"^models/registry\.json: ") as caught:
        plan_of(tmp_path)
    assert "hush" not in caught.value.message


def test_secrets_are_not_in_notes(tmp_path: Path) -> None:
    record = {"name": "m", "type": "https://u:hush@x.example", "path": "m.bin"}
    write(tmp_path, "models/registry.json", json.dumps({"models": [record]}))
    notes = plan_of(tmp_path).notes
    assert any("https://u:…@x.example" in note for note in notes)
    assert not any("hush" in note for note in notes)
