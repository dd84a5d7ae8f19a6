# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the configuration
"""``llm-router validate-config``: all that is wrong with a configuration file, with its places."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llm_runner_router.cli.output import errors, out
from llm_runner_router.cli.running import FAILED, reported
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.local_path import expanded

if TYPE_CHECKING:
    from llm_runner_router.config.problem import ConfigProblem

File = Annotated[Path, typer.Argument(metavar="FILE", help="A configuration file, in JSON.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def validate_config(file: File, as_json: Json = False) -> None:  # noqa: FBT002 - typer's option
    """Check a configuration file without starting a service.

    Exit code 0: it is valid. 1: it is not. 2: it cannot be read.
    """
    from llm_runner_router.config.problems import MAX_BYTES, config_problems

    with reported():
        problems = config_problems(content_of(file, MAX_BYTES + 1))
    if as_json:
        typer.echo(json_report(file, problems))
    else:
        tell(file, problems)
    if problems:
        raise typer.Exit(FAILED)


def content_of(file: Path, most: int) -> bytes:
    """The first bytes of a file; InvalidConfigError where it cannot be read."""
    try:
        with expanded(file).open("rb") as stream:
            return stream.read(most)
    except (OSError, ValueError) as error:
        why = f"a file that can be read ({error})"
        raise InvalidConfigError("configuration file", str(file), why) from None


def tell(file: Path, problems: Sequence[ConfigProblem]) -> None:
    """A line for each problem; or that there is none."""
    name = in_one_line(str(file))
    if not problems:
        out.print(f"{name} is valid", markup=False)
    for problem in problems:
        errors.print(f"{name}:{in_one_line(problem.text)}", markup=False)


def json_report(file: Path, problems: Sequence[ConfigProblem]) -> str:
    """The problems for programs."""
    entries = [
        {**dataclasses.asdict(problem), "value": plain(problem.value)} for problem in problems
    ]
    report = {"file": str(file), "valid": not problems, "problems": entries}
    return json.dumps(report, indent=2, allow_nan=False)


def plain(value: object) -> object:
    """JSON has no words for the infinities: they become texts."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def in_one_line(text: str) -> str:
    """Text of a file in one line, without what a terminal would obey."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
