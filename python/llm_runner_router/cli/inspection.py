# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the core
"""``llm-router models show FILE.gguf``: what a file of this machine holds, without a service."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated

import typer

from llm_runner_router.cli.output import out
from llm_runner_router.cli.running import reported
from llm_runner_router.local_path import expanded, is_regular

ContextLength = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=1 << 24,
        help="Of a file: tokens of prompt and answer that memory is estimated for.",
        show_default="as many as the model was made for",
    ),
]
Parallel = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=4096,
        help="Of a file: requests at once that memory is estimated for.",
        show_default="1",
    ),
]
Tensors = Annotated[bool, typer.Option("--tensors", help="Of a file: list every tensor.")]
Json = Annotated[bool, typer.Option("--json", help="Of a file: everything, for programs.")]


@dataclass(frozen=True, slots=True)
class FileOptions:
    """How a file is shown."""

    context_length: int | None
    parallel: int | None
    tensors: bool
    json: bool

    def check_unused(self) -> None:
        """Refuse what only files have."""
        given = {
            "--context-length": self.context_length is not None,
            "--parallel": self.parallel is not None,
            "--tensors": self.tensors,
            "--json": self.json,
        }
        for option, used in given.items():
            if used:
                message = f"{option} belongs to a file, and there is none of that name"
                raise typer.BadParameter(message)


def is_file(name: str) -> bool:
    """Whether a name is meant as a file of this machine rather than as a model's id."""
    return name.endswith(".gguf") or is_regular(expanded(name))


def show_file(name: str, options: FileOptions) -> None:
    """Print the report on a file."""
    from llm_runner_router.cli.inspect_output import as_json, print_report, tensors_table
    from llm_runner_router.cli.output import show_whole
    from llm_runner_router.inspection.inspecting import Load, inspect

    with reported():
        load = Load(options.context_length or 0, options.parallel or 1)
        report = inspect(expanded(name), load)
    if options.json:
        typer.echo(json.dumps(as_json(report), allow_nan=False, indent=2))
        return
    print_report(report)
    if options.tensors:
        out.print()
        show_whole(tensors_table(report.tensors))
