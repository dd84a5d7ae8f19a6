from __future__ import annotations

import pytest

from llm_runner_router.errors import InvalidRequestError, ModelNotFoundError
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.routing.router import ModelRouter
from unit.echoes import model


async def test_who_answers() -> None:
    store = await RegistryStore.open(None)
    router = ModelRouter(store, None)
    with pytest.raises(ModelNotFoundError, match="no model is registered"):
        router.choose(None)
    await store.add(model("a"))
    assert router.choose(None).id == "a"
    await store.add(model("b"))
    assert router.choose("b").id == "b"
    with pytest.raises(InvalidRequestError, match=r"one of a, b \(none is the default\)"):
        router.choose(None)
    with pytest.raises(ModelNotFoundError, match="'c'"):
        router.choose("c")
    assert ModelRouter(store, "b").choose(None).id == "b"
    with pytest.raises(ModelNotFoundError, match="'gone'"):
        ModelRouter(store, "gone").choose(None)
    await store.close()


async def test_a_long_list_is_cut() -> None:
    store = await RegistryStore.open(None)
    for number in range(20):
        await store.add(model(f"m{number:02}"))
    with pytest.raises(InvalidRequestError) as caught:
        ModelRouter(store, None).choose(None)
    assert "m07 …" in caught.value.allowed
    assert "m08" not in caught.value.allowed
    await store.close()
