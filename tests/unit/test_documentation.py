"""The pages in docs/ say what the code says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from llm_runner_router.cli import app
from llm_runner_router.config.tree import SECTIONS

DOCS = Path(__file__).parents[2] / "docs"
UsageError = typer.BadParameter.__mro__[1]  # typer exports no more than this one of its kind


def allowed(field: FieldInfo) -> str:
    """What a setting takes, as its error says."""
    assert isinstance(field.json_schema_extra, dict)
    return str(field.json_schema_extra["allowed"])


@pytest.mark.parametrize("name", SECTIONS)
def test_every_setting_stands_in_its_table(name: str) -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    table = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    defaults = SECTIONS[name]().model_dump(mode="json", by_alias=True)
    wanted = [
        f"| `{to_camel(key)}` | `{json.dumps(defaults[to_camel(key)])}` | {allowed(field)} |"
        f" {field.description} |"
        for key, field in SECTIONS[name].model_fields.items()
    ]
    assert rows == wanted


def console_lines(page: str) -> list[str]:
    """The commands of a page that it shows as typed, without ``llm-router``."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return re.findall(r"^(?:\$ )?llm-router (.+)$", "\n".join(blocks), re.MULTILINE)


def parse(line: str) -> None:
    """Parse a command as the program does, to its last option and argument."""
    command, words = typer.main.get_command(app), shlex.split(line)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    if hasattr(command, "commands"):
        raise typer.BadParameter(f"no such command: {line}")
    command.make_context(line, words)


@pytest.mark.parametrize("page", ["inspection.md", "registry.md"])
def test_commands_that_are_shown_can_be_typed(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    lines = console_lines(page)
    assert lines
    for line in lines:
        if " import " in line:  # what is read must be there
            (tmp_path / shlex.split(line)[-1]).touch()
        parse(line)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("model list", "no such command"),
        ("models list --where x", "No such option"),
        ("models add one", "Missing argument"),
        ("pull one two", "unexpected extra argument"),
        ("models add a b --quality much", "valid number"),
    ],
)
def test_commands_that_cannot_be_typed_are_told(line: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(line)
    assert why in caught.value.format_message()
