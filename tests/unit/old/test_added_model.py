"""A program of v1.0 adds its models at each start; a registry may remember them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from llm_runner_router import AlreadyExistsError, LLMRouter, ModelConfig, ModelRecord
from llm_runner_router.old.added_model import added, same_source
from llm_runner_router.registry.records import Pricing
from llm_runner_router.runtime import Runtime
from unit.echoes import EchoLoader, model


@pytest_asyncio.fixture
async def router(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LLMRouter]:
    monkeypatch.setattr(
        "llm_runner_router.router.Runtime", lambda loaded: Runtime(loaded, EchoLoader())
    )
    async with LLMRouter() as router:
        yield router


WHOLE = model(
    "m",
    "./models/m.gguf",
    config=ModelConfig(context_length=64, temperature=0.7, stop=("x",)),
    capabilities=["text-generation", "chat"],
    labels={"a": "b"},
)


@pytest.mark.parametrize("wanted", [WHOLE, model("m", "models/m.gguf"), replace(WHOLE, labels={})])
async def test_what_is_true_already_stays_as_it_is(router: LLMRouter, wanted: ModelRecord) -> None:
    first = await added(router, WHOLE)
    assert await added(router, wanted) == first
    assert await router.list_models() == [first]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"source": "./other.gguf"}, r"its source is '.*/models/m\.gguf', not '\./other\.gguf'"),
        ({"source": "/models/m.gguf"}, "its source is"),
        ({"name": "M"}, "its name is 'm', not 'M'"),
        ({"config": ModelConfig(temperature=0)}, r"its config\.temperature is 0\.7, not 0"),
        ({"config": ModelConfig(stop=["y"])}, r"its config\.stop is"),
        ({"capabilities": ["chat"]}, "its capabilities is"),
        ({"pricing": Pricing(1, 2)}, "its pricing is None"),
    ],
)
async def test_what_is_not_is_named(router: LLMRouter, changes: dict[str, Any], told: str) -> None:
    before = await added(router, WHOLE)
    with pytest.raises(AlreadyExistsError, match=f"model 'm' is registered already, and {told}"):
        await added(router, replace(WHOLE, **changes))
    assert await router.list_models() == [before]


async def test_an_alias_of_that_name_is_no_model(router: LLMRouter) -> None:
    await added(router, WHOLE)
    await router.set_alias("other", ["m"])
    with pytest.raises(AlreadyExistsError, match="alias"):
        await added(router, model("other"))


@pytest.mark.parametrize(
    ("present", "wanted", "same"),
    [
        ("/srv/app/models/m.gguf", "./models/m.gguf", True),
        ("/srv/models/m.gguf", "../models/m.gguf", True),
        ("/srv/app/models/cache/m.gguf", "./models/m.gguf", True),
        ("/srv/app/models/cache/n.gguf", "./models/m.gguf", False),
        ("/srv/models/cache/m.gguf", "other/m.gguf", False),
        ("/srv/models/m.gguf", "other/m.gguf", False),
        ("/srv/models/m.gguf", "/models/m.gguf", False),
        ("hf://org/models/m.gguf", "hf://org/m.gguf", False),
        ("/srv", ".", False),
        ("/srv", "..", False),
    ],
)
def test_relative_paths(present: str, wanted: str, *, same: bool) -> None:
    assert same_source(present, wanted) is same
