from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.prompts import PromptTemplate

from llm_runner_router.errors import AlreadyExistsError
from unit.cli.services import FakeService, run
from unit.migrate.langchain.dumped import chain, chat_openai

QUESTION = PromptTemplate.from_template("Answer this question: {question}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path, chain(QUESTION, chat_openai(temperature=0.7, openai_api_key="sk-x")))


def written(folder: Path, document: Any) -> Path:
    path = folder / "guide.json"
    path.write_text(json.dumps(document))
    return path


def test_templates_and_models_are_added_together(service: FakeService, file: Path) -> None:
    result = run("migrate", "langchain", str(file), "--target", "host:1")
    assert result.exit_code == 0, result.output
    ((document, replace),) = service.asked
    content = json.loads(document)
    assert [template["id"] for template in content["templates"]] == ["guide"]
    assert [model["id"] for model in content["models"]] == ["gpt-4o"]
    assert (replace, service.targets, service.open) == (False, ["host:1"], 0)
    assert "template guide: Answer this question: {question}" in result.output
    assert "added model a" in result.output
    assert "sk-x" not in result.output


def test_dry_run_asks_nobody(service: FakeService, file: Path) -> None:
    result = run("migrate", "langchain", str(file), "--dry-run")
    assert result.exit_code == 0
    assert "model gpt-4o: gpt-4o of openai" in result.output
    assert (service.asked, service.targets) == ([], [])


def test_json_tells_every_value(service: FakeService, file: Path) -> None:
    planned = json.loads(run("migrate", "langchain", str(file), "--dry-run", "--json").stdout)
    done = json.loads(run("migrate", "langchain", str(file), "--json", "--replace").stdout)
    assert (planned["applied"], done["applied"]) == (False, True)
    assert done["added"] == ["model a"]
    assert service.asked[0][1] is True
    assert {field["path"]: field["fate"] for field in planned["fields"]}[
        "kwargs.first.kwargs.template"
    ] == "mapped"


def test_what_could_not_be_is_told_by_the_exit_code(service: FakeService, tmp_path: Path) -> None:
    mixed = written(tmp_path, chain(QUESTION, chat_openai(temperature=9)))
    result = run("migrate", "langchain", str(mixed))
    assert result.exit_code == 1
    assert "not taken over: ChatOpenAI at kwargs.last" in result.output
    assert len(service.asked) == 1
    nothing = written(tmp_path, chat_openai(temperature=9))
    assert run("migrate", "langchain", str(nothing)).exit_code == 1
    assert len(service.asked) == 1


def test_a_file_of_something_else_and_a_taken_id(service: FakeService, tmp_path: Path) -> None:
    result = run("migrate", "langchain", str(written(tmp_path, {"a": 1})))
    assert (result.exit_code, service.asked) == (1, [])
    assert "guide.json: 0 is not allowed" in result.output
    service.failure = AlreadyExistsError("model gpt-4o is registered already")
    result = run("migrate", "langchain", str(written(tmp_path, chat_openai())))
    assert result.exit_code == 1
    assert "model gpt-4o is registered already" in result.output
