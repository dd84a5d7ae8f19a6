"""Programs of v1.0 that talk to a service, and a service with a configuration of v1.0."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.processes import service_process
from integration.word_provider import Service
from llm_runner_router import Complete, LLMRouter
from llm_runner_router.compat import v1_0
from unit.echoes import collect


async def test_old_names_over_a_channel(service: Service) -> None:
    async with LLMRouter(target=service.address) as router:
        with pytest.warns(DeprecationWarning, match="generate is deprecated"):
            answer = await router.generate("one two", max_tokens=2)
        same = await router.process("one two", max_tokens=2)
        assert (answer.response, answer.model_used) == (same.response, same.model_used)
        with pytest.warns(DeprecationWarning, match="generate_stream is deprecated"):
            events = await collect(router.generate_stream("one two"))
        assert isinstance(events[-1], Complete)
        with pytest.warns(DeprecationWarning, match="status is deprecated"):
            assert (await router.status()).healthy
        with pytest.warns(DeprecationWarning, match="health is deprecated"):
            assert (await router.health()).ready
        events = await collect(await router.process("one two", streaming=True))
        assert isinstance(events[-1], Complete)


async def test_the_shape_of_v1_0_over_a_channel(service: Service) -> None:
    async with v1_0.LLMRouter(target=service.address) as router:
        (model,) = [view.record.id for view in await router.get_models()]
        answer = await router.generate({"input": "one two", "model_id": model})
        assert set(answer) == {"text", "model", "usage"}
        assert answer["model"] == model
        usage = answer["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"] > 0
        changed = await router.set_config({"maxConcurrentRequests": 7})
        assert changed == await router.get_config()
        assert (changed["maxConcurrentRequests"], changed["logFile"]) == (7, None)
        *tokens, end = await collect(router.generate_stream({"input": "one two"}))
        assert {token["event"] for token in tokens} == {"token"}
        assert (end["event"], end["text"]) == ("end", answer["text"])


async def test_a_service_starts_with_a_flat_configuration(tmp_path: Path) -> None:
    settings = {"maxConcurrentRequests": 7, "enableCaching": 0, "logLevel": "info"}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    command = ("-m", "llm_runner_router.cli", "serve", "--port", "0", "--data", str(tmp_path))
    async with (
        service_process(*command, cwd=tmp_path) as process,
        LLMRouter(target=process.address) as router,
    ):
        config = await router.get_config()
        assert config["performance"]["max_concurrent"] == 7
        assert config["cache"]["enabled"] is False
