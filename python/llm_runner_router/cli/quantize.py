# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the core
"""``llm-router quantize``: a smaller file of a large one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from llm_runner_router.cli.output import errors, printable, say
from llm_runner_router.cli.running import reported
from llm_runner_router.cli.sizes import bytes_text
from llm_runner_router.local_path import expanded

if TYPE_CHECKING:
    from llm_runner_router.inspection.quantizing import Quantization

ENDING = (signal.SIGTERM, signal.SIGHUP)

Source = Annotated[
    Path,
    typer.Argument(
        metavar="SOURCE",
        help="A GGUF file of F32, F16 or BF16 weights, or the first of a sharded set.",
    ),
]
Target = Annotated[Path, typer.Argument(metavar="TARGET", help="The file to write.")]
Type = Annotated[
    str,
    typer.Option(
        "--type",
        metavar="TYPE",
        help="Q8_0, Q6_K, Q5_K_M, Q5_K_S, Q5_1, Q5_0, Q4_K_M, Q4_K_S, Q4_1, Q4_0, Q3_K_L, "
        "Q3_K_M, Q3_K_S or Q2_K, the largest first; or F16.",
    ),
]
Threads = Annotated[int, typer.Option(min=0, max=1024, help="0: as many as this process may use.")]
Force = Annotated[bool, typer.Option("--force", help="Replace TARGET where it exists.")]


def quantize(
    source: Source,
    target: Target,
    kind: Type = "Q4_K_M",
    threads: Threads = 0,
    force: Force = False,  # noqa: FBT002 - typer makes an option of it
) -> None:
    """Write a model's weights with fewer bits. TARGET appears whole or not at all."""
    from llm_runner_router.inspection.quantizing import Quantization

    work = Quantization(expanded(source), expanded(target), kind, threads, replace=force)
    with reported(), ended_by_signals():
        quantize_aloud(work)


def quantize_aloud(work: Quantization) -> None:
    """Quantise with a bar, and say what was gained."""
    from llm_runner_router.inspection import quantizing

    before = quantizing.source_bytes(work)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TimeRemainingColumn(),
    )
    # Where there is no terminal, a bar would leave an empty line.
    bar = Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal)
    with bar:
        task = bar.add_task("reading", total=before)

        def on_progress(tensor: str, fraction: float) -> None:
            bar.update(task, description=printable(tensor), completed=int(fraction * before))

        quantizing.quantize(work, on_progress)
    after = work.target.stat().st_size
    share = f"{100 * after / before:.0f} %"
    say(f"wrote {work.target}: {bytes_text(before)} before, {bytes_text(after)} after ({share})")


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """What asks the process to end interrupts the block, as Ctrl-C does: it tidies up."""

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
