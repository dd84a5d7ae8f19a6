"""Pulls a model in a new process for each line on stdin; says the pid, and ``ended``.

The processes are forked, so that what takes long, to import everything, is done once.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import aiohttp
import huggingface_hub

from llm_runner_router.registry.sources.hub.fetcher import HubFetcher
from llm_runner_router.registry.sources.ollama.fetcher import OllamaFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.web.download import Downloader

assert huggingface_hub.HfApi  # loaded before the first fork


async def pull(source: str, cache: Path) -> None:
    async with aiohttp.ClientSession() as session:
        downloader = Downloader(lambda: session)
        ollama = OllamaFetcher(downloader, lambda: session, cache, cache / "none")
        fetchers = {"hf": HubFetcher(downloader, cache), "ollama": ollama}
        await Pulls(fetchers, cache).pull(source)


def main(source: str, cache: str) -> None:
    while sys.stdin.readline():
        child = os.fork()
        if child == 0:
            asyncio.run(pull(source, Path(cache)))
            os._exit(0)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print("ended", status, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
