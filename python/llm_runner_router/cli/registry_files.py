"""``llm-router models import`` and ``export``: registry files of LLM Runner Router 1.2."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import errors, say
from llm_runner_router.cli.output_file import target_of, write_whole
from llm_runner_router.cli.running import FAILED, run


def import_file(
    file: Annotated[
        Path, typer.Argument(help="The registry file.", exists=True, dir_okay=False, readable=True)
    ],
    replace: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--replace", help="Let it take the place of what has the same ids.")
    ] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Add the models and templates of a registry file, all or none."""
    run(import_aloud(target, file.read_bytes(), replace=replace))


async def import_aloud(target: str, document: bytes, *, replace: bool) -> None:
    """Import and say what has become of each."""
    async with connected(target) as backend:
        report = await backend.import_registry(document, replace=replace)
    for word, things in (
        ("added", report.added),
        ("replaced", report.replaced),
        ("unchanged", report.unchanged),
    ):
        for thing in things:
            say(f"{word} {thing}")


def export_file(
    file: Annotated[
        Path, typer.Argument(help="The file to write, or - for standard output.", allow_dash=True)
    ] = Path("-"),
    force: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--force", help="Overwrite a file that is there.")
    ] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Write all models and templates to a registry file."""
    if str(file) == "-":
        run(export_aloud(target, print_document))
        return
    with file_errors(file):
        place = target_of(file)
    if os.path.lexists(file) and not force:
        raise typer.BadParameter(f"{str(file)!r} is there already; --force overwrites it")
    run(export_aloud(target, lambda document: write(file, place, document)))


async def export_aloud(target: str, keep: Callable[[bytes], None]) -> None:
    """Export, and let ``keep`` have the document."""
    async with connected(target) as backend:
        document = await backend.export_registry()
    keep(document)


def print_document(document: bytes) -> None:
    """To standard output, as it is."""
    sys.stdout.buffer.write(document)


def write(file: Path, place: Path, document: bytes) -> None:
    """Write ``file``, whose content lies at ``place``, and say so."""
    with file_errors(file):
        write_whole(place, document)
    errors.print(f"wrote {file}", markup=False)


@contextmanager
def file_errors(file: Path) -> Iterator[None]:
    """One clear line and an exit code for what keeps a file from being written."""
    try:
        yield
    except OSError as error:
        errors.print(f"error: {file}: {error.strerror}", markup=False)
        raise typer.Exit(FAILED) from None
