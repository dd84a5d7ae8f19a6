"""What the guide's tool only claims: the migrated folder is served, and rolled back while it is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from integration.guide.command_line import done
from integration.guide.projects import project_of_v1_0, state
from integration.processes import service_process
from llm_runner_router import LLMRouter, Response

SERVE = ("-m", "llm_runner_router.cli", "serve", "--port", "0")
MODELS = ["archive", "desk's own", "gpt35", "my-model", "support-chat"]


async def answer(router: LLMRouter, model: str) -> Response:
    return await router.process("hello world", model=model, max_tokens=3)


async def test_the_migrated_folder_is_served_and_rolled_back(
    tmp_path: Path, my_router: LLMRouter, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project_of_v1_0(tmp_path / "desk")
    before = state(folder)
    await asyncio.to_thread(done, "migrate", folder, "--yes")
    registry = (folder / "models/registry.json").read_bytes()
    sources = {one["id"]: one["source"] for one in json.loads(registry)["models"]}
    monkeypatch.chdir(folder)
    async with LLMRouter() as router:  # as the guide's tool validates
        assert (await router.get_status()).healthy
        assert [view.record.id for view in await router.list_models()] == MODELS
        again = await router.import_registry(registry)
        assert (again.added, again.replaced) == ((), ())  # it is in the database as it is
        models = json.loads(await router.export_registry())["models"]
        assert {one["id"]: one["source"] for one in models} == sources
    async with service_process(*SERVE, cwd=folder) as service:
        async with LLMRouter(target=service.address) as router:
            assert [view.record.id for view in await router.list_models()] == MODELS
            status = await router.get_status()
            assert (status.healthy, status.registered_models) == (True, len(MODELS))
            config = await router.get_config()
            assert (config["performance"]["max_concurrent"], config["cache"]["ttl"]) == (10, 3600)

            source = (await router.get_model("my-model")).record.source
            assert source == str(folder / "models/cache/model.gguf")
            mine = await answer(router, "my-model")
            assert mine.response == (await answer(my_router, "my-model")).response
            for model in ("support-chat", "archive", "desk's own"):
                assert (await answer(router, model)).metrics.completion_tokens == 3

            view = await router.get_model("support-chat")
            assert (view.record.config.temperature, view.record.config.top_p) == (0, 0.9)
            template = {"id": "answer", "variables": {"question": "What is AI?"}}
            asked = await router.process(template=template, model="my-model", max_tokens=3)
            plain = await router.process(
                "Answer this question: What is AI?", model="my-model", max_tokens=3
            )
            assert asked.model_used == plain.model_used == "my-model"
            assert asked.response == plain.response
        await asyncio.to_thread(done, "rollback", "--folder", folder, "--yes")
        assert await service.exit_code() == 0
    assert state(folder) == before
