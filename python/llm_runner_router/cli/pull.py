"""``llm-router pull``: models from anywhere."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import errors, printable, say
from llm_runner_router.cli.running import run
from llm_runner_router.local_path import expanded
from llm_runner_router.registry.records import PullProgress


def pull(
    source: Annotated[
        str,
        typer.Argument(
            help="Where the model lives: hf://…, ollama://…, https://…, a path; "
            "or the id of a registered model."
        ),
    ],
    model: Annotated[
        str, typer.Option("--id", help="The id that it gets.", show_default="made of the source")
    ] = "",
    target: Target = DEFAULT_TARGET,
) -> None:
    """Download a model to the machine of the service, and register it.

    What was cut is taken up again where it ended.
    """
    run(pull_aloud(target, source, model))


async def pull_aloud(target: str, source: str, model: str) -> None:
    """Pull with a bar; say what it is called now."""
    async with connected(target) as backend:
        with new_bar() as bar:
            show = Shown(bar)
            if is_source(source):
                view = await backend.pull_model(whole(source), model, show)
            else:
                view = await backend.pull_model("", source, show)
        for note in show.notes:
            errors.print(f"note: {printable(note)}", markup=False)
    say(f"pulled {view.record.id}: {view.record.source}")


def is_source(text: str) -> bool:
    """Whether it is no id: sources have a scheme, and paths a separator."""
    return "://" in text or text.startswith(("/", "./", "../", "~")) or text.endswith(".gguf")


def whole(source: str) -> str:
    """A path of this machine as the service finds it: from the root; anything else as it is."""
    return source if "://" in source else str(expanded(source).absolute())


def new_bar() -> Progress:
    """Bytes, rate and remaining time, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=errors,
        transient=True,
    )


class Shown:
    """Shows what it is told on a bar."""

    def __init__(self, bar: Progress) -> None:
        self.notes: list[str] = []
        self._bar = bar
        self._task: TaskID = bar.add_task("resolving", total=None)

    def __call__(self, step: PullProgress) -> None:
        """One step."""
        if step.note:
            self.notes.append(step.note)
        self._bar.update(
            self._task,
            description=printable(f"{step.phase} {step.file}".strip()),
            total=step.total_bytes or None,
            completed=step.done_bytes,
        )
