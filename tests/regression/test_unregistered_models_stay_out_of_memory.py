"""A model that was unregistered came back into memory, and nothing could unload it any more.

Two ways led there: a request that had waited for its permit loaded the record that it had found on
arrival, and a caller that left between the registry's change and the unloading took the unloading
with it. A model registered anew under that id was then answered by the old one's weights.
"""

from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import ModelNotFoundError
from llm_runner_router.types import Request
from unit.echoes import EchoLoader, echo_runtime, settle, until

ONE_AT_A_TIME = {"performance": {"maxConcurrent": 1}}


async def test_a_request_that_waited_does_not_load_what_is_gone() -> None:
    async with echo_runtime(ONE_AT_A_TIME, models=("m", "other")) as runtime:
        running = runtime.process_stream(Request(prompt="a b", model="other"))
        await anext(running)
        waiting = asyncio.ensure_future(runtime.process(Request(prompt="x", model="m")))
        await settle()
        await runtime.unregister_model("m")
        await running.aclose()
        with pytest.raises(ModelNotFoundError):
            await waiting
        assert (await runtime.get_status()).loaded_models == ["other"]


async def test_a_caller_that_leaves_does_not_stop_the_unloading() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        await runtime.load_model("m")
        leaving = asyncio.ensure_future(runtime.unregister_model("m"))
        await asyncio.sleep(0)
        leaving.cancel()
        await until(lambda: loader.providers["m"].closed)
        assert (await runtime.get_status()).loaded_models == []
