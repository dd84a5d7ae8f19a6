from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import (
    InvalidConfigError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import HealthReport, Request, Response
from llm_runner_router.version import VERSION
from unit.echoes import EchoLoader, echo_runtime, model, settle, until

HELLO = Request(prompt="hello big world")


async def test_the_only_model_answers_where_none_is_named() -> None:
    async with echo_runtime(models=()) as runtime:
        with pytest.raises(ModelNotFoundError, match="no model is registered"):
            await runtime.process(HELLO)
        await runtime.register_model(model("a"))
        assert (await runtime.process(HELLO)).model_used == "a"


async def test_the_strategy_chooses_where_none_is_named() -> None:
    config = {"routing": {"strategy": "round-robin"}, "cache": {"enabled": False}}
    async with echo_runtime(config, models=("a", "b")) as runtime:
        answers = [await runtime.process(HELLO) for _ in range(4)]
    assert sorted(answer.model_used for answer in answers) == ["a", "a", "b", "b"]
    assert all(answer.decision is not None for answer in answers)
    assert {answer.decision.strategy for answer in answers if answer.decision} == {"round-robin"}


async def test_the_default_model_answers_where_none_is_named() -> None:
    async with echo_runtime({"models": {"default": "b"}}, models=("a", "b")) as runtime:
        assert (await runtime.process(HELLO)).model_used == "b"
        assert (await runtime.process(Request(prompt="x", model="a"))).model_used == "a"


async def test_a_batch_answers_in_order_and_failures_stand_alone() -> None:
    requests = [Request(prompt="a"), Request(prompt=""), Request(prompt="c", model="x")]
    async with echo_runtime() as runtime:
        results = await runtime.process_batch(requests)
    assert isinstance(results[0], Response)
    assert results[0].response == "a"
    assert isinstance(results[1], InvalidRequestError)
    assert isinstance(results[2], ModelNotFoundError)


async def test_a_batch_does_not_overflow_the_queue() -> None:
    config = {"performance": {"maxConcurrent": 2, "maxQueue": 0}}
    async with echo_runtime(config) as runtime:
        results = await runtime.process_batch([Request(prompt=str(n)) for n in range(50)])
    assert [r.response for r in results if isinstance(r, Response)] == [str(n) for n in range(50)]


async def test_cancelling_a_batch_cancels_its_requests() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(loader=loader) as runtime:
        batch = asyncio.ensure_future(runtime.process_batch([HELLO] * 3))
        await until(lambda: bool(loader.providers) and len(loader.providers["m"].running) == 3)
        batch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await batch
        assert len(loader.providers["m"].cancelled) == 3


async def test_tokens_and_text() -> None:
    async with echo_runtime() as runtime:
        ids = await runtime.tokenize(None, "ab", add_special=True, parse_special=False)
        assert list(ids) == [97, 98]
        assert await runtime.detokenize("m", ids) == "ab"
        with pytest.raises(InvalidRequestError, match=r"token_ids\[1\]"):
            await runtime.detokenize("m", [1, -1])
        with pytest.raises(ModelNotFoundError):
            await runtime.tokenize("x", "ab", add_special=True, parse_special=False)


async def test_update_config_takes_effect() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    logger = logging.getLogger("llm_runner_router")
    before = logger.level
    async with echo_runtime({"performance": {"maxConcurrent": 1}}, loader) as runtime:
        tasks = [asyncio.ensure_future(runtime.process(HELLO)) for _ in range(2)]
        await until(lambda: bool(loader.providers) and len(loader.providers["m"].running) == 1)
        changes = {
            "performance": {"maxConcurrent": 2, "max_queue": 0},
            "logging": {"level": "debug"},
        }
        values = await runtime.update_config(changes)
        await until(lambda: len(loader.providers["m"].running) == 2)
        assert values == await runtime.get_config()
        assert values["performance"]["max_concurrent"] == 2
        assert logger.level == logging.DEBUG
        with pytest.raises(OverloadedError):
            await runtime.process(HELLO)
        with pytest.raises(InvalidConfigError):
            await runtime.update_config({"performance": {"maxConcurrent": 0}})
        assert (await runtime.get_config())["performance"]["max_concurrent"] == 2
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert logger.level == before


async def test_status_and_health() -> None:
    async with echo_runtime(models=("a", "b")) as runtime:
        await runtime.load_model("b")
        status = await runtime.get_status()
        assert status.healthy
        assert status.version == VERSION
        assert status.loaded_models == ["b"]
        assert status.registered_models == 2
        health = await runtime.check_health()
        assert health == HealthReport(ready=True, draining=False, models={"a": False, "b": True})


async def test_before_and_after_nothing_is_answered() -> None:
    runtime = Runtime(load_config({}, environment={}, folder=Path("/nowhere")), EchoLoader())
    for state in ("not initialized", "closed"):
        with pytest.raises(UnavailableError, match=state):
            await runtime.process(HELLO)
        assert not (await runtime.check_health()).ready
        await runtime.close()
    await runtime.close()


async def test_closing_ends_everything() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime({"performance": {"maxConcurrent": 1}}, loader) as runtime:
        tasks = [asyncio.ensure_future(runtime.process(HELLO)) for _ in range(3)]
        await until(lambda: bool(loader.providers) and len(loader.providers["m"].running) == 1)
        await settle()
        await runtime.close()
        errors = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(error) for error in errors] == [UnavailableError] * 3
    assert loader.providers["m"].closed


async def test_records_survive_a_restart_and_logs_go_to_the_file(tmp_path: Path) -> None:
    config = {"registry": {"path": "data/r.db"}, "logging": {"file": "logs/x.log"}}
    for turn in range(2):
        loaded = load_config(config, environment={}, folder=tmp_path)
        runtime = Runtime(loaded, EchoLoader())
        await runtime.initialize()
        assert len((await runtime.list_models()).models) == turn
        if turn == 0:
            await runtime.register_model(model())
        await runtime.close()
    assert "the registry holds 1 models" in (tmp_path / "logs/x.log").read_text()
    assert not logging.getLogger("llm_runner_router").handlers


async def test_a_log_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    loaded = load_config({"logging": {"file": str(tmp_path)}}, environment={})
    runtime = Runtime(loaded, EchoLoader())
    with pytest.raises(InvalidConfigError, match=r"logging\.file"):
        await runtime.initialize()
    await runtime.close()


async def test_errors_are_router_errors() -> None:
    async with echo_runtime() as runtime:
        for call in (
            runtime.get_model("x"),
            runtime.load_model("x"),
            runtime.process_batch([]),
            runtime.update_config({"x": 1}),
            runtime.register_model(model("m")),
        ):
            with pytest.raises(RouterError):
                await call


async def test_what_was_learned_of_a_model_goes_with_it() -> None:
    loader = EchoLoader()
    async with echo_runtime(
        {"routing": {"breakerFailures": 1, "maxAttempts": 1}}, loader
    ) as runtime:
        loader.failure = UnavailableError("the disk is gone")
        with pytest.raises(UnavailableError, match="the disk is gone"):
            await runtime.process(HELLO)
        with pytest.raises(UnavailableError) as caught:
            await runtime.process(HELLO)
        assert caught.value.reason == "CIRCUIT_OPEN"
        loader.failure = None
        await runtime.unregister_model("m")
        await runtime.register_model(model())
        assert (await runtime.process(HELLO)).response == "hello big world"


async def test_a_batch_keeps_to_the_streams_of_its_caller() -> None:
    config = {"limits": {"eachCaller": {"concurrentStreams": 2}}}
    async with echo_runtime(config) as runtime:
        results = await runtime.process_batch([Request(prompt=str(n)) for n in range(10)])
    assert [r.response for r in results if isinstance(r, Response)] == [str(n) for n in range(10)]
