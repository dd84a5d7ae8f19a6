"""Processes of services, for tests that send them signals."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
ADDRESS = re.compile(rb"127\.0\.0\.1:\d+")


@dataclass
class ServiceProcess:
    """A service in a process of its own."""

    process: asyncio.subprocess.Process
    address: str

    async def exit_code(self) -> int:
        return await asyncio.wait_for(self.process.wait(), 30)


@asynccontextmanager
async def service_process(
    *arguments: str, environment: dict[str, str] | None = None, cwd: Path | None = None
) -> AsyncIterator[ServiceProcess]:
    """``python arguments…``, once it has told its address on either stream."""
    path = os.pathsep.join((str(TESTS), str(ROOT / "python")))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, "PYTHONPATH": path, **(environment or {})},
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        yield ServiceProcess(process, await asyncio.wait_for(told_address(process.stdout), 60))
    finally:
        if process.returncode is None:
            process.kill()
        await process.stdout.read()
        await process.wait()


async def told_address(output: asyncio.StreamReader) -> str:
    """The first address in what a process says."""
    said = b""
    async for line in output:
        said += line
        found = ADDRESS.search(line)
        if found:
            return found.group().decode()
    raise AssertionError(said.decode(errors="replace"))


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str


async def llm_router(
    *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> Finished:
    """Run ``llm-router arguments…`` to its end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "llm_runner_router.cli",
        *arguments,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python"), **(environment or {})},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin), 120)
    assert process.returncode is not None
    return Finished(process.returncode, out.decode(), err.decode())
