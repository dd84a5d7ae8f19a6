from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.errors import ModelFileError, ProviderRejectedError, UnavailableError
from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.records import Endpoint, LoadProgress, ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat
from unit.echoes import EchoLoader, model, settle, until


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


async def test_what_was_registered_anew_loads_anew_and_waits_for_nobody() -> None:
    loader, records = EchoLoader(), {"m": model("m", created=1.0)}
    residency = Residency(loader, lambda name: records[name])
    async with residency.lease("m") as old:
        records["m"] = model("m", "other.gguf", created=2.0)
        async with residency.lease("m") as new:
            assert new is not old
        residency.forget("m")
        assert residency.details("m").architecture == "echo"
        assert not old.closed
    await until(lambda: old.closed)
    assert residency.loaded("m")
    assert not new.closed
    await residency.close()


async def test_which_record_a_model_answers_as() -> None:
    record = model("m", etag="1")
    residency = Residency(EchoLoader(), lambda _: record)
    changed = replace(record, source="other.gguf", etag="2")
    assert residency.running(changed) is changed
    async with residency.lease("m"):
        assert residency.running(changed) is record
        anew = replace(changed, created=1.0)
        assert residency.running(anew) is anew
        unload = asyncio.ensure_future(residency.unload("m"))
        await settle()
        assert residency.running(changed) is changed
    await unload


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


class Shelf:
    """Keeps the present record of one model behind an API."""

    def __init__(self) -> None:
        self.record = replace(model(provider="openai"), format=ModelFormat.API, etag="0")

    def find(self, name: str) -> ModelRecord:
        del name
        return self.record

    def change(self, **values: Any) -> None:
        self.record = replace(self.record, etag=f"{self.record.etag}'", **values)


@pytest.mark.parametrize(
    "values",
    [
        {"source": "other"},
        {"provider": "groq"},
        {"endpoint": Endpoint("http://elsewhere")},
        {"config": ModelConfig(context_length=5)},
        {"format": ModelFormat.GGUF, "provider": ""},
    ],
)
async def test_a_changed_api_model_is_loaded_anew_while_the_old_one_answers(
    values: dict[str, Any],
) -> None:
    loader, shelf = EchoLoader(), Shelf()
    residency = Residency(loader, shelf.find)
    async with residency.lease("m") as old:
        shelf.change(**values)
        async with residency.lease("m") as new:
            assert new is not old
            assert not loader.providers["m"].closed
        await settle()
        assert residency.busy("m")
        assert not closed(old)
    await settle()
    assert closed(old)
    assert not residency.busy("m")
    assert residency.provider("m") is loader.providers["m"]
    await residency.close()


async def test_other_changes_and_other_files_load_nothing() -> None:
    loader, shelf = EchoLoader(), Shelf()
    residency = Residency(loader, shelf.find)
    await residency.load("m")
    shelf.change(quality=0.5, labels={"a": "b"})
    await residency.load("m")
    assert loader.loads == 1
    await residency.unload("m")
    shelf.change(format=ModelFormat.GGUF, provider="")
    await residency.load("m")
    shelf.change(source="other.gguf")
    await residency.load("m")
    assert loader.loads == 2
    await residency.close()


async def test_a_change_while_it_loads_counts() -> None:
    loader, shelf = EchoLoader(), Shelf()
    loader.gate = asyncio.Event()
    residency = Residency(loader, shelf.find)
    first = asyncio.ensure_future(residency.load("m"))
    await settle()
    shelf.change(source="other")
    second = asyncio.ensure_future(residency.load("m"))
    await settle()
    loader.gate.set()
    await asyncio.gather(first, second)
    assert loader.loads == 2
    assert residency.loaded("m")
    await residency.close()


async def test_a_refused_key_is_read_again() -> None:
    loader, shelf = EchoLoader(), Shelf()
    residency = Residency(loader, shelf.find)
    async with residency.lease("m") as running:
        with pytest.raises(ProviderRejectedError):
            await refused(residency)
        async with residency.lease("m") as mended:
            assert mended is not running
        await residency.load("m")
        assert loader.loads == 2
    await residency.close()
    assert closed(running)


async def test_unloading_and_closing_take_what_was_replaced_along() -> None:
    loader, shelf = EchoLoader(), Shelf()
    residency = Residency(loader, shelf.find)
    async with residency.lease("m"):
        shelf.change(source="other")
        await residency.load("m")
        unload = asyncio.ensure_future(residency.unload("m"))
        await settle()
        assert not unload.done()
        assert not residency.loaded("m")
    await unload
    async with residency.lease("m") as old:
        shelf.change(source="third")
        await residency.load("m")
        await residency.close()
        assert closed(old)


async def refused(residency: Residency) -> None:
    async with residency.lease("m"):
        raise ProviderRejectedError("the key is wrong")


def closed(provider: Provider) -> bool:
    assert isinstance(provider, EchoProvider)
    return provider.closed
