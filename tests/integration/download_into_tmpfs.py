"""Downloads onto a disk that becomes full; says in JSON what came of it. Runs under ``unshare``.

Arguments: the folder where a small disk is mounted, and the address of the file server.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp

from llm_runner_router.errors import RouterError
from llm_runner_router.registry.sources.web.download import Downloader


def mount(folder: Path, *options: str) -> None:
    subprocess.run(["mount", *options, str(folder)], check=True)


async def outcome(downloader: Downloader, url: str, target: Path) -> dict[str, Any]:
    """How a download ends, and what is there then: sizes by name."""
    error: dict[str, str] = {}
    try:
        await downloader.fetch(url, target)
    except RouterError as failure:
        error = {"reason": failure.reason, "message": str(failure)}
    files = {path.name: path.stat().st_size for path in target.parent.iterdir()}
    return {**error, "files": files}


async def main(folder: Path, address: str) -> None:
    mount(folder, "-t", "tmpfs", "-o", "size=40m", "none")
    async with aiohttp.ClientSession() as session:
        downloader = Downloader(lambda: session)
        told = [await outcome(downloader, f"{address}/known", folder / "known")]
        told.append(await outcome(downloader, f"{address}/unknown", folder / "unknown"))
        mount(folder, "-o", "remount,size=120m")
        told.append(await outcome(downloader, f"{address}/unknown", folder / "unknown"))
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
