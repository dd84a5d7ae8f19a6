"""docs/langchain.md does what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from langchain_core.load import dumps
from langchain_core.prompts import PromptTemplate
from typer.testing import CliRunner

from llm_runner_router.cli import app

PAGE = (Path(__file__).parents[3] / "docs" / "langchain.md").read_text(encoding="utf-8")
SAID = {
    "Chat": ("I heard: What is AI? and you?", "agent 0.0"),
    "Tools and structured output": ("'name': 'Weather'", "place='Oslo has 3 degrees' degrees=3"),
    "Texts, and several models over one router": ("I heard: Once upon a time", "I heard: Hello"),
    "Prompts, models and chains": ("I heard: Answer this question: What is AI? and you?",),
}
"""What the code below each heading prints."""


def blocks(heading: str, kind: str) -> list[str]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"^```{kind}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def test_every_block_of_code_is_run() -> None:
    assert PAGE.count("```python") == sum(len(blocks(heading, "python")) for heading in SAID)


@pytest.mark.parametrize("heading", SAID)
def test_the_code_of_the_page(
    heading: str,
    target: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    chain = PromptTemplate.from_template("Answer this question: {question}")
    Path("chain.json").write_text(dumps(chain))
    for line in "".join(blocks(heading, "console")).splitlines():
        command = [*shlex.split(line)[1:], "--target", target]
        assert CliRunner().invoke(app, command).exit_code == 0
    for block in blocks(heading, "python"):
        exec(block.replace("127.0.0.1:50051", target), {"__name__": "page"})
    printed = capsys.readouterr().out
    for text in SAID[heading]:
        assert text in printed
