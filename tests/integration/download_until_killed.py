"""Downloads a file in a new process for each line on stdin; says the pid, and ``ended``.

The processes are forked, so that what takes long, to import everything, is done once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp

from llm_runner_router.registry.sources.web.download import Downloader


async def download(url: str, target: Path, digest: str) -> None:
    async with aiohttp.ClientSession() as session:
        await Downloader(lambda: session).fetch(url, target, sha256=digest)


def main(url: str, target: str, digest: str) -> None:
    while sys.stdin.readline():
        child = os.fork()
        if child == 0:
            asyncio.run(download(url, Path(target), digest))
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print("ended", status, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
