"""``llm-router`` in this process: starting another one for each command takes seconds."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from llm_runner_router.cli import app

ENVIRONMENT = {"COLUMNS": "220", "TERM": "dumb", "LLM_ROUTER_TARGET": ""}


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def said(self) -> str:
        """On both streams, as one line."""
        return " ".join(f"{self.out} {self.err}".split())


def run(*arguments: str | Path) -> Ended:
    """``llm-router arguments…``; what is no error of ours is raised. Not where a loop runs."""
    result = CliRunner(env=ENVIRONMENT).invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)


def done(*arguments: str | Path) -> Ended:
    """A command that succeeds."""
    ended = run(*arguments)
    assert ended.code == 0, ended.said
    return ended


def refused(*arguments: str | Path) -> Ended:
    """A command that does not."""
    ended = run(*arguments)
    assert ended.code != 0, ended.said
    return ended
