"""Converts a checkpoint in a new process for each line on stdin: its kind, and where it is killed.

The processes are forked, so that what takes long, to import everything, is done once. The moment
is one of POINTS, or ``never``; the exit status of each process is told.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_runner_router.checkpoints import gguf_output
from llm_runner_router.inspection import quantizing
from llm_runner_router.model_sources import quantized
from llm_runner_router.registry.sources.checkpoint import conversion
from llm_runner_router.registry.sources.checkpoint.conversion import Conversions

assert quantizing.quantize  # loaded before the first fork

POINTS = ("identity", "tensor", "sync", "part", "quantized", "small", "whole", "told")


def killed(*_: object) -> Any:
    """The end of this process, as by the kernel."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_name(real: Callable[..., Path], ending: str) -> Callable[..., Path]:
    """``Path.replace`` that ends the process before one kind of file gets its name."""

    def replace(self: Path, target: Path) -> Path:
        return killed() if self.name.endswith(ending) else real(self, target)

    return replace


def plant(point: str, quantize: Any) -> Any:
    """Have the process end at a point; what quantises from then on."""
    match point:
        case "identity":
            conversion.replace_file = killed  # type: ignore[attr-defined]
        case "tensor":
            gguf_output.converted = killed
        case "sync":
            gguf_output.sync = killed
        case "part" | "small" | "whole":
            Path.replace = at_name(Path.replace, f".{point}")  # type: ignore[method-assign]
        case "quantized":
            return lambda *arguments: killed(quantize(*arguments))
        case "told":
            conversion.sync_folder = killed  # type: ignore[attr-defined]
    return quantize


async def convert(folder: Path, cache: Path, kind: str, point: str) -> None:
    conversions = Conversions(cache, plant(point, quantized))
    await conversions.run(folder, kind, lambda _: None)


def main(folder: str, cache: str) -> None:
    while line := sys.stdin.readline():
        kind, point = line.split()
        child = os.fork()
        if child == 0:
            asyncio.run(convert(Path(folder), Path(cache), kind, point))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(status, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
