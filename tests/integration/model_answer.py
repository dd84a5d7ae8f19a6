"""What a model that was pulled says, by a router of this process."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.config.sources import load_config
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import ModelFormat, Request, Response


async def answer_of(pulled: PulledModel, folder: Path) -> Response:
    """Five tokens of it."""
    config = {"engine": {"threads": 1, "kvType": "f32"}, "cache": {"enabled": False}}
    runtime = Runtime(load_config(config, environment={}, folder=folder))
    await runtime.initialize()
    try:
        await runtime.register_model(
            ModelRecord("pulled", "", ModelFormat.GGUF, str(pulled.path), pulled.config)
        )
        request = Request(prompt="world", model="pulled", max_tokens=5, ignore_eos=True)
        return await runtime.process(request)
    finally:
        await runtime.close()
