"""Conversions whose process is killed leave nothing that is taken for whole."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from integration import convert_until_killed
from integration.convert_until_killed import POINTS
from integration.processes import ROOT, TESTS
from llm_runner_router.model_sources import quantized
from llm_runner_router.registry.sources.checkpoint.conversion import Conversions
from unit import tiny_checkpoint as tiny

KINDS = ("F16", "Q8_0")
OF_QUANTIZING = ("quantized", "small")
"""Points that a conversion to F16 does not come to."""


@asynccontextmanager
async def converting(folder: Path, cache: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, convert_until_killed.__file__, str(folder), str(cache)),
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(TESTS), str(ROOT / "python")))},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def ended(process: asyncio.subprocess.Process, kind: str, point: str) -> int:
    """The exit status of one conversion."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{kind} {point}\n".encode())
    return int(await process.stdout.readline())


async def test_whatever_kills_it_the_next_one_makes_the_same_file(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path / "checkpoint")
    conversions = Conversions(tmp_path / "expected", quantized)
    expected = {
        kind: (await conversions.run(folder, kind, lambda _: None)).path.read_bytes()
        for kind in KINDS
    }
    cases = [
        (kind, point)
        for kind in KINDS
        for point in POINTS
        if kind != "F16" or point not in OF_QUANTIZING
    ]
    async with converting(folder, tmp_path / "cache") as process:
        for kind, point in cases:
            case = f"{kind}, killed at {point}"
            found = Conversions(tmp_path / "cache", quantized)
            assert await ended(process, kind, point) == signal.SIGKILL, case
            whole = found.find(folder, kind)
            assert (whole is not None) is (point == "told"), case
            assert await ended(process, kind, "never") == 0, case
            whole = found.find(folder, kind)
            assert whole is not None, case
            assert whole.path.read_bytes() == expected[kind], case
            left = {path.name for path in whole.path.parent.iterdir()}
            # The name of a lock may outlive its holder: the lock itself does not.
            assert left - {f"{whole.path.name}.lock"} == {whole.path.name}, case
            for path in (tmp_path / "cache/converted/known").iterdir():
                path.unlink()
            whole.path.unlink()
