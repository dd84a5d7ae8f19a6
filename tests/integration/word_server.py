"""A process that serves word models as ``llm-router serve`` does; prints its address first.

No word is said before SIGUSR1, so that a test decides when answers end.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from integration.word_provider import WordLoader
from llm_runner_router.config.sources import load_config
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import ServerOptions, serve
from llm_runner_router.types import ModelFormat


async def main(drain_timeout: float) -> None:
    loader = WordLoader()
    loader.provider.gate.clear()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, loader.provider.gate.set)
    runtime = Runtime(load_config({}, environment={}, folder=Path("/nonexistent")), loader)
    await runtime.initialize()
    await runtime.register_model(ModelRecord("words", "words", ModelFormat.GGUF, "/w.gguf"))
    options = ServerOptions(port=0, drain_timeout=drain_timeout)
    await serve(runtime, options, lambda address: print(address, flush=True))
    await runtime.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
