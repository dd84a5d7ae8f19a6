"""docs/routing.md and its pictures say what the router does."""

from __future__ import annotations

import ast
import importlib
import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import typer

from llm_runner_router.cli import app
from llm_runner_router.config.sources import load_config
from llm_runner_router.preferences import Strategy
from llm_runner_router.providers.known import PROVIDERS

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
GUIDE = (ROOT / "docs" / "routing.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The guide's examples in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pictures as the router makes them now."""
    folder = tmp_path_factory.mktemp("pictures")
    command = [sys.executable, str(PICTURES / "draw_strategies.py"), str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def test_there_is_a_picture_of_each_strategy_and_no_other(drawn: Path) -> None:
    names = {f"{strategy}.svg" for strategy in Strategy}
    assert {path.name for path in drawn.iterdir()} == names
    assert {path.name for path in PICTURES.glob("*.svg")} == names


@pytest.mark.parametrize("strategy", Strategy)
def test_the_picture_is_what_the_router_decides(drawn: Path, strategy: Strategy) -> None:
    committed = (PICTURES / f"{strategy}.svg").read_text(encoding="utf-8")
    assert committed == (drawn / f"{strategy}.svg").read_text(encoding="utf-8")
    assert ET.fromstring(committed).tag.endswith("svg")


@pytest.mark.parametrize("strategy", Strategy)
def test_the_guide_explains_and_shows_it(strategy: Strategy) -> None:
    section = GUIDE.split(f"\n### {strategy}\n")[1].split("\n##")[0]
    assert f"(pictures/{strategy}.svg)" in section


def test_configurations_of_the_guide_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = blocks("json")
    assert examples
    for example in examples:
        values = json.loads(example)
        loaded = load_config(values).config.nested()
        assert set(values) <= set(loaded)


def test_python_of_the_guide_parses_and_imports_what_exists() -> None:
    examples = blocks("python")
    assert examples
    for example in examples:
        tree = compile(example, "routing.md", "exec", ast.PyCF_ONLY_AST | TOP_LEVEL_AWAIT)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, name.name) for name in node.names)


TOP_LEVEL_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


def test_commands_of_the_guide_exist() -> None:
    root = typer.main.get_command(app)
    lines = re.findall(r"^llm-router (\S[^#\n]*)", "\n".join(blocks("console")), re.MULTILINE)
    assert lines
    for line in lines:
        command, words = root, line.split()
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        assert command is not root, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_every_provider_stands_in_the_table() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|$", GUIDE, re.MULTILINE)
    told = {name: (address.strip(), variable.strip()) for name, address, variable in rows}
    known = {
        provider.name: (quoted(provider.base_url), quoted(provider.key_variable))
        for provider in PROVIDERS.values()
    }
    assert {name: told.get(name) for name in known} == known


def quoted(text: str | None) -> str:
    """As the table has it."""
    return "" if text is None else f"`{text}`"
