"""Promises of the tree itself: nothing of one machine, one version, short files, docs that hold."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer

import llm_runner_router
from llm_runner_router.cli import app, migrate

ROOT = Path(__file__).parents[2]
MOST_LINES = 400
LONGER = {
    "python/llm_runner_router/_core.pyi": "one extension has one stub, and it is its documentation",
    "tests/core/test_engine.py": "one engine, one file of its promises",
}
GENERATED = ROOT / "python" / "llm_runner_router" / "v1"
OF_ONE_MACHINE = re.compile(
    r"(?<![\w.$}~-])/(work|root|tmp|home/\w+|Users/\w+)/"
    r"|pypi\.(org|io|python)|pythonhosted|npmjs|index-url|debian\.org|artifactory"
)
HERE = Path(__file__).relative_to(ROOT)
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/architecture.md",
    "docs/routing.md",
    "docs/benchmarks.md",
    "docs/configuration.md",
    "docs/inspection.md",
    "docs/langchain.md",
    "docs/migration.md",
    "docs/registry.md",
]


def tracked(*patterns: str) -> list[Path]:
    """The files that git tracks, relative to the root; deleted ones are not there any more."""
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).is_file()]


def read(path: Path | str) -> str:
    """The text of a file; bytes that are no UTF-8 cannot hold what is looked for."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def code_of(document: str) -> str:
    """Its code blocks and what stands in backticks."""
    text = read(document)
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`([^`\n]+)`", text)])


def test_nothing_names_a_machine_or_a_package_index() -> None:
    suspects = [path for path in tracked() if path != HERE]
    found = {
        str(path): match[0] for path in suspects if (match := OF_ONE_MACHINE.search(read(path)))
    }
    assert not found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("cd /" + "work/main", True),
        ('path = "/' + 'home/me/models"', True),
        ("https://" + "pypi.org/simple", True),
        ("/models/chat.gguf", False),
        ("docker/work/x $TMP/work/x google.protobuf.internal", False),
    ],
)
def test_machines_and_indexes_are_recognised(line: str, found: bool) -> None:
    assert bool(OF_ONE_MACHINE.search(line)) == found


def test_versions_agree() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert llm_runner_router.__version__ == version
    releases = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert releases[:1] in ([], [version])
    assert releases or "## [Unreleased]" in read("CHANGELOG.md")


def test_files_fit_in_the_head() -> None:
    written = [
        path
        for path in tracked("*.py", "*.pyi", "*.cc", "*.h", "*.sh")
        if not (ROOT / path).is_relative_to(GENERATED)
    ]
    longer = {str(path) for path in written if read(path).count("\n") > MOST_LINES}
    assert longer == set(LONGER), "longer files stand in the list, with the reason; others do not"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_has_the_targets_that_are_written_about(document: str) -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", read("Makefile"), re.MULTILINE))
    mentioned = set(re.findall(r"\bmake ([a-z][a-z-]*)\b(?!/)", code_of(document)))
    assert mentioned <= targets


def test_targets_are_phony() -> None:
    """A file of the name of a target would otherwise keep it from running."""
    makefile = read("Makefile")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony
    assert set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)) == set(phony[1].split())


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_that_are_written_about_exist(document: str) -> None:
    root = typer.main.get_command(app)
    for line in re.findall(r"\bllm-router (?!is )([^\s`][^#\n`]*)", code_of(document)):
        command, words = root, line.split()
        while words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        command = getattr(command, "commands", {}).get(migrate.DEFAULT, command)
        assert command is not root, line
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, line


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_to_files(document: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", read(document))
    missing = [link for link in links if not (ROOT / document).parent.joinpath(link).exists()]
    assert not missing


def test_python_of_the_readme_imports_what_exists() -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", read("README.md"), re.MULTILINE | re.DOTALL)
    assert blocks
    for block in blocks:
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith(
                "llm_runner_router"
            ):
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, name.name) for name in node.names)
