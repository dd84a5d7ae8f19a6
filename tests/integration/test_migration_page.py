"""docs/migration.md does what it says: every command and every program of it is run."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from integration.background import in_background
from integration.guide import gpt2_checkpoint
from integration.guide.command_line import done
from integration.guide.guide_page import Program, Shell, Typed, matches, steps
from integration.guide.test_from_ollama import put_models
from integration.model_service import serving
from integration.upstreams.ollama_store import OllamaFolder
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.migrate.planner import plan_of
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.transaction import migrate
from unit import markdown, tiny_model

GUIDE = Path(__file__).parent / "guide"
GENERATION = {"temperature": 0.8, "max_length": 50, "eos_token_id": 262}
MIGRATED = "The way back"
"""The section that begins in a migrated folder."""

PAGE = markdown.sections("migration.md")
SECTIONS = {name: found for name, text in PAGE.items() if (found := list(steps(text)))}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the page takes to be there: folders and files of people who come from elsewhere."""
    home = shutil.copytree(GUIDE / "migration_page", tmp_path_factory.mktemp("page") / "home")
    model = tiny_model.write(home / "model.gguf", scale=1000.0)
    shutil.copy(model, home / "desk" / "models" / "support chat.GGUF")
    leave_half_migrated(shutil.copytree(home / "desk", home / "cut"))
    put_models(OllamaFolder(home / "ollama"), model.read_bytes())
    gpt2_checkpoint.write(home / "gpt2")
    (home / "gpt2" / "generation_config.json").write_text(json.dumps(GENERATION))
    return home


@pytest.fixture
def home(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one's own."""
    home = shutil.copytree(prepared, tmp_path / "home", symlinks=True)
    monkeypatch.setenv("OLLAMA_MODELS", str(home / "ollama"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-nobody")
    return home


def leave_half_migrated(folder: Path) -> None:
    """As a kill does: what has been renamed stays, and the rest stands in the journal."""

    def end(step: Step) -> None:
        if step is Step.PLACE_FILE:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        migrate(plan_of(folder), end)


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[str]:
    """The address of a service, with a model behind OpenAI's API that the file of LangChain has."""
    settings = {"engine": {"threads": 1}, "models": {"cacheDir": str(home / "cache")}}
    async with OpenAIServer().running() as upstream, serving({}, settings) as service:
        upstream.words = ("It", " is", " AI.")
        chain = (GUIDE / "langchain" / "chain.json").read_text()
        (home / "chain.json").write_text(chain.replace("ADDRESS", f"{upstream.address}/v1"))
        yield service.address


@pytest.fixture
def shell(home: Path) -> Iterator[Shell]:
    with in_background(lambda: served(home)) as address:
        shell = Shell(home, address)
        try:
            yield shell
        finally:
            shell.close()


@pytest.mark.parametrize("name", SECTIONS)
def test_the_section(shell: Shell, name: str) -> None:
    if name == MIGRATED:
        shell.folder = shell.folder / "desk"
        done("migrate", shell.folder, "--yes")
    for step in SECTIONS[name]:
        if not is_exit_code(step):
            assert shell.code == 0, "an exit code that is not 0 is shown"
        said = shell.does(step)
        assert matches(step.answer, said), f"{step.text}\n{said}"
    assert shell.code == 0


def is_exit_code(step: Typed | Program) -> bool:
    return step.text == "echo $?"


def test_each_block_is_run() -> None:
    text = (markdown.DOCS / "migration.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w+)$", text, re.MULTILINE)
    known = [step for found in SECTIONS.values() for step in found]
    programs = [step for step in known if isinstance(step, Program)]
    assert set(blocks) == {"console", "python", "text"}
    assert blocks.count("python") == len(programs)
    assert blocks.count("text") == sum(bool(program.answer) for program in programs)
    assert text.count("\n$ ") == len(known) - len(programs)


@pytest.mark.parametrize(
    ("shown", "real", "same"),
    [
        ("a\n", "a\n", True),
        ("a\n", "a\nb\n", False),
        ("", "a\n", False),
        ("a\n…\nd\n", "a\nb\nc\nd\n", True),
        ("…\nb\n", "a\nc\n", False),
        ("the … end\n", "the very end\n", True),
        ("the … end\n", "the\nvery end\n", False),
        ("1.2\n", "112\n", False),
    ],
)
def test_output_is_compared(shown: str, real: str, same: bool) -> None:
    assert matches(shown, real) == same
