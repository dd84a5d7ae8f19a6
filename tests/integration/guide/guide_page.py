"""docs/migration.md at its word: its commands are typed, its programs run, its output compared.

In a block ``console`` each line ``$ command`` is followed by what it says, on either stream. A
block ``text`` behind a block ``python`` is what that program prints, with its warnings. A ``…``
stands for anything within a line; a line that holds nothing else, for any number of lines.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

from typer.testing import CliRunner

from llm_runner_router.cli import app

ADDRESS = "127.0.0.1:50051"
"""Where the page has its service."""

OTHERS = frozenset({"cat", "cp", "ls"})
"""Programs that the page uses beside ours."""

ENVIRONMENT = {"COLUMNS": "118", "TERM": "dumb"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Typed:
    """A command, and what the page says that it answers."""

    text: str
    answer: str


@dataclass(frozen=True)
class Program:
    """A program in Python, and what the page says that it prints."""

    text: str
    answer: str


def steps(section: str) -> Iterator[Typed | Program]:
    """What a section does, in its order."""
    for kind, text, said in BLOCK.findall(section):
        if kind == "console":
            for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, _, answer = piece.partition("\n")
                yield Typed(command, answer)
        elif kind == "python":
            yield Program(text, said)


def matches(shown: str, real: str) -> bool:
    """Whether ``real`` is what the page shows, but for what it leaves out."""
    pattern = ""
    for line in shown.rstrip().splitlines():
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
        else:
            words = [re.escape(word) for word in line.rstrip().split("…")]
            pattern += r"[^\n]*".join(words) + r"[ ]*\n"
    lines = "".join(f"{line.rstrip()}\n" for line in real.strip("\n").splitlines())
    return re.fullmatch(pattern, lines) is not None


@dataclass
class Shell:
    """Types commands in ``folder``, against the service at ``address``."""

    folder: Path
    address: str
    code: int = 0
    services: list[subprocess.Popen[str]] = field(default_factory=list)

    def does(self, step: Typed | Program) -> str:
        """What a step says."""
        return self.type(step.text) if isinstance(step, Typed) else self.program(step.text)

    def type(self, command: str) -> str:
        """What a command says; its exit code is what ``echo $?`` tells."""
        match command.split(" ", 1)[0]:
            case "cd":
                self.folder = self.folder / command.split(" ", 1)[1]
                return ""
            case "echo":
                assert command == "echo $?"
                said, self.code = f"{self.code}\n", 0
                return said
            case "llm-router":
                words = shlex.split(command)[1:]
                return self.serve(words[:-1]) if words[-1] == "&" else self.router(words)
            case other:
                assert other in OTHERS, f"{other} is none of {sorted(OTHERS)}"
                return self.other(command)

    def router(self, words: list[str]) -> str:
        """``llm-router words…`` in this process."""
        target = {"LLM_ROUTER_TARGET": self.address}
        with chdir(self.folder):
            result = CliRunner(env={**ENVIRONMENT, **target}).invoke(app, words)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        self.code = result.exit_code
        return self.shown(result.output)

    def other(self, command: str) -> str:
        """Another program, in a shell."""
        done = subprocess.run(
            ["bash", "-c", command], cwd=self.folder, capture_output=True, text=True, check=False
        )
        self.code = done.returncode
        return done.stdout + done.stderr

    def serve(self, words: list[str]) -> str:
        """A service in the background, at a free port; its last words when it listens."""
        command = [sys.executable, "-m", "llm_runner_router.cli", *words, "--port", "0"]
        service = subprocess.Popen(
            command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.services.append(service)
        assert service.stdout is not None
        said = ""
        for line in service.stdout:
            said += line
            if found := re.search(r"listening on (127\.0\.0\.1:\d+)", line):
                self.address = found[1]
                return self.shown(said)
        raise AssertionError(said)

    def program(self, text: str) -> str:
        """What a program prints, and what it is warned of."""
        printed = StringIO()

        def warn(message: object, category: type[Warning], *_: object) -> None:
            print(f"{category.__name__}: {message}", file=printed)

        with chdir(self.folder), warnings.catch_warnings(), redirect_stdout(printed):
            warnings.simplefilter("always", DeprecationWarning)
            warnings.showwarning = warn  # type: ignore[assignment]
            exec(text.replace(ADDRESS, self.address), {"__name__": "page"})
        return self.shown(printed.getvalue())

    def shown(self, said: str) -> str:
        """As the page would show it."""
        return said.replace(self.address, ADDRESS)

    def close(self) -> None:
        """End all services."""
        for service in self.services:
            service.kill()
            service.communicate()
