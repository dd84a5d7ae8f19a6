from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.registry.records import PromptTemplate
from unit.cli.services import FakeService, lines, run


def written(folder: Path, text: str) -> str:
    path = folder / "template.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("stop", "models"),
    [("stopTokens", "modelCompatibility"), ("stop_tokens", "model_compatibility")],
)
def test_set_reads_a_file(service: FakeService, tmp_path: Path, stop: str, models: str) -> None:
    text = f"""{{"id": "ask", "format": "Q: {{question}} é\\nA:", "name": "Ask",
        "{stop}": ["\\nQ:"], "{models}": ["llama-*"]}}"""
    result = run("templates", "set", written(tmp_path, text))
    assert (result.exit_code, result.output) == (0, "set ask\n")
    assert service.asked == [
        PromptTemplate("ask", "Q: {question} é\nA:", "Ask", ("\nQ:",), ("llama-*",))
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "no JSON object"),
        ('{"id": "a"}', "lacks format"),
        ("{}", "lacks format and id"),
        ('{"id": 1, "format": "x"}', "id is no text"),
        ('{"id": "a", "format": "x", "stopTokens": "x"}', "stopTokens is no list of texts"),
        ('{"id": "a", "format": "x", "stopTokens": [1]}', "stopTokens is no list of texts"),
        ('{"id": "a", "format": "x", "stop": []}', "stop is unknown"),
    ],
)
def test_a_wrong_file_is_refused(
    service: FakeService, tmp_path: Path, text: str, complaint: str
) -> None:
    result = run("templates", "set", written(tmp_path, text))
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.replace("│", "").split())
    assert not service.asked


def test_a_missing_file_is_refused(service: FakeService, tmp_path: Path) -> None:
    result = run("templates", "set", str(tmp_path / "none.json"))
    assert result.exit_code == 2
    assert not service.targets


def test_list_shows_brackets_and_line_ends(service: FakeService) -> None:
    service.templates = [
        PromptTemplate("ask", "[INST] {question} [/INST]", "Ask", ["\n", "[/INST]"], ["a", "b*"]),
        PromptTemplate("plain", "{x}"),
    ]
    assert lines(run("templates", "list")) == [
        ["template", "name", "format", "stop", "models"],
        ["ask", "Ask", "[INST] {question} [/INST]", '"\\n", "[/INST]"', "a, b*"],
        ["plain", "", "{x}", "", "all"],
    ]


def test_remove_forgets(service: FakeService) -> None:
    assert run("templates", "remove", "ask").output == "removed ask\n"
    assert service.asked == [("delete", "ask")]


def test_show_tells_all_of_a_template(service: FakeService) -> None:
    service.templates = [PromptTemplate("ask", "[Q] {question}\n[A]", "Ask", ["\n"], ["b*"])]
    assert [line.split() for line in run("templates", "show", "ask").output.splitlines()] == [
        ["template", "ask"],
        ["name", "Ask"],
        ["format", "[Q]", "{question}"],
        ["[A]"],
        ["stop", '"\\n"'],
        ["models", "b*"],
    ]
    missing = run("templates", "show", "none")
    assert (missing.exit_code, missing.output) == (1, "error: template 'none' is unknown\n")
