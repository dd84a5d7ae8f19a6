from __future__ import annotations

import asyncio

import pytest

from llm_runner_router.errors import ModelFileError, UnavailableError
from llm_runner_router.registry.records import LoadProgress
from llm_runner_router.registry.residency import Residency
from unit.echoes import EchoLoader, model, settle


async def test_the_first_use_loads_and_the_next_does_not() -> None:
    loader = EchoLoader()
    residency = Residency(loader, model)
    for _ in range(2):
        async with residency.lease("m") as provider:
            assert provider is loader.providers["m"]
            assert residency.busy("m")
    assert loader.loads == 1
    assert residency.loaded_models() == ["m"]
    assert not residency.busy("m")
    await residency.close()
    assert loader.providers["m"].closed


async def test_loads_at_once_are_one_load_and_all_see_its_progress() -> None:
    loader = EchoLoader()
    loader.gate = asyncio.Event()
    residency = Residency(loader, model)
    seen: list[list[LoadProgress]] = [[] for _ in range(3)]
    loads = [asyncio.ensure_future(residency.load("m", log.append)) for log in seen]
    await settle()
    assert not residency.loaded("m")
    loader.gate.set()
    await asyncio.gather(*loads)
    assert loader.loads == 1
    assert [log[-1].fraction for log in seen] == [1.0, 1.0, 1.0]
    await residency.close()


async def test_a_failed_load_leaves_nothing_and_is_tried_again() -> None:
    loader = EchoLoader()
    loader.failure = ModelFileError("damaged")
    residency = Residency(loader, model)
    results = await asyncio.gather(*(residency.load("m") for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [ModelFileError] * 3
    assert residency.loaded_models() == []
    loader.failure = None
    await residency.load("m")
    assert loader.loads == 2
    await residency.close()


async def test_a_load_goes_on_while_anybody_waits() -> None:
    loader = EchoLoader()
    loader.gate = asyncio.Event()
    residency = Residency(loader, model)
    first, second = (asyncio.ensure_future(residency.load("m")) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    assert loader.cancelled == 0
    loader.gate.set()
    await second
    assert residency.loaded("m")
    await residency.close()


async def test_a_load_that_nobody_waits_for_is_given_up_and_can_begin_again() -> None:
    loader = EchoLoader()
    loader.gate = asyncio.Event()
    residency = Residency(loader, model)
    load = asyncio.ensure_future(residency.load("m"))
    await settle()
    load.cancel()
    await settle()
    assert loader.cancelled == 1
    loader.gate.set()
    await residency.load("m")
    assert loader.loads == 2
    await residency.close()


async def test_unload_waits_for_running_requests_and_later_ones_load_anew() -> None:
    loader = EchoLoader()
    residency = Residency(loader, model)
    async with residency.lease("m"):
        old = loader.providers["m"]
        unload = asyncio.ensure_future(residency.unload("m"))
        again = asyncio.ensure_future(residency.load("m"))
        await settle()
        assert not unload.done()
        assert not old.closed
        assert not residency.loaded("m")
    await asyncio.gather(unload, again)
    assert old.closed
    assert loader.loads == 2
    assert not loader.providers["m"].closed
    await residency.close()


async def test_unloading_what_is_not_loaded_is_nothing() -> None:
    await Residency(EchoLoader(), model).unload("m")


async def test_details_stay_until_forgotten() -> None:
    residency = Residency(EchoLoader(), model)
    assert residency.details("m").architecture == ""
    await residency.load("m")
    await residency.unload("m")
    assert residency.details("m").architecture == "echo"
    residency.forget("m")
    assert residency.details("m").architecture == ""


async def test_closing_ends_loads_and_refuses_new_ones() -> None:
    loader = EchoLoader()
    residency = Residency(loader, model)
    await residency.load("a")
    loader.gate = asyncio.Event()
    load = asyncio.ensure_future(residency.load("b"))
    await settle()
    await residency.close()
    with pytest.raises(UnavailableError):
        await load
    with pytest.raises(UnavailableError):
        await residency.load("a")
    assert loader.providers["a"].closed


async def test_closing_does_not_wait_for_users() -> None:
    loader = EchoLoader()
    residency = Residency(loader, model)
    async with residency.lease("m"):
        await residency.close()
        assert loader.providers["m"].closed
