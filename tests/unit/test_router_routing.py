"""Routing through LLMRouter: plain values in, the types of this package out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llm_runner_router import (
    Alias,
    AliasRule,
    AliasTarget,
    InvalidRequestError,
    LLMRouter,
    NoCandidateError,
    Pricing,
    PromptTemplate,
    ResourceNotFoundError,
    Strategy,
)
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import ModelFormat
from unit.echoes import EchoLoader


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> LLMRouter:
    loader = EchoLoader()
    monkeypatch.setattr("llm_runner_router.router.Runtime", lambda loaded: Runtime(loaded, loader))
    return LLMRouter()


async def test_aliases(router: LLMRouter) -> None:
    async with router:
        await router.register_model("a", "a.gguf")
        await router.register_model("b", "b.gguf")
        kept = await router.set_alias(
            "both",
            {"a": 1.0, "b": 3.0},
            strategy="weighted",
            fallbacks=["b"],
            rules=[{"key": "tier", "values": ["gold"], "model": "b"}],
        )
        assert kept.targets == (AliasTarget("a", 1.0), AliasTarget("b", 3.0))
        assert kept.strategy is Strategy.WEIGHTED
        assert kept.rules == (AliasRule("tier", ("gold",), "b"),)
        assert await router.get_alias("both") == kept
        assert list(await router.list_aliases()) == [kept]
        gold = await router.process("x", model="both", metadata={"tier": "gold"})
        assert gold.model_used == "b"
        assert (await router.set_alias(Alias("both", (AliasTarget("a"),)))).strategy is None
        await router.delete_alias("both")
        with pytest.raises(ResourceNotFoundError):
            await router.get_alias("both")


async def test_templates(router: LLMRouter) -> None:
    async with router:
        await router.register_model("a", "a.gguf")
        kept = await router.set_template("greet", "hello {name}", model_compatibility=["a*"])
        assert kept.model_compatibility == ("a*",)
        assert await router.get_template("greet") == kept
        assert list(await router.list_templates()) == [kept]
        answer = await router.process(template={"id": "greet", "variables": {"name": "you"}})
        assert answer.response == "hello you"
        changed = await router.set_template(PromptTemplate("greet", "bye"))
        assert changed.format == "bye"
        assert (await router.process(template="greet")).response == "bye"
        await router.delete_template("greet")
        assert list(await router.list_templates()) == []


async def test_models_of_providers(router: LLMRouter) -> None:
    async with router:
        view = await router.register_model(
            "fake",
            provider="echo",
            endpoint={"options": {"chunks": 2}},
            pricing={"input": 1.0, "output": 2.0},
            quality=0.5,
            capabilities=["text-generation", "jokes"],
        )
        record = view.record
        assert (record.format, record.source) == (ModelFormat.API, "fake")
        assert record.pricing == Pricing(1.0, 2.0)
        assert (record.quality, record.capabilities) == (0.5, ("text-generation", "jokes"))


async def test_decisions_usage_and_feedback(router: LLMRouter) -> None:
    async with router:
        await router.register_model("a", "a.gguf")
        decision = await router.route("x", strategy="random")
        assert (decision.model, decision.strategy) == ("a", "random")
        answer = await router.process("x y", strategy="speed-priority", priority="high")
        assert answer.decision is not None
        assert answer.decision.strategy == "speed-priority"
        await router.feedback(answer.request_id, 0.5)
        rows = await router.get_usage(model="a")
        assert [(row.caller, row.requests) for row in rows] == [("anonymous", 1)]
        assert list(await router.get_usage(model="b")) == []
        with pytest.raises(NoCandidateError):
            await router.process("x", requirements={"capabilities": ["telepathy"]})


async def test_ensembles(router: LLMRouter) -> None:
    async with router:
        for name in ("a", "b"):
            await router.register_model(name, f"{name}.gguf")
        answer = await router.process_ensemble(
            "x y", {"a": 1.0, "b": 2.0}, aggregation="weighted", minimum=2, max_tokens=1
        )
        assert answer.response.response.strip() == "x"
        assert [(result.model, result.error) for result in answer.members] == [
            ("a", None),
            ("b", None),
        ]


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda r: r.set_alias("x", ["m"], strategy="best"), "strategy"),
        (lambda r: r.set_alias("x", [5]), "targets[0]"),
        (lambda r: r.set_alias("x", ["m"], rules=[{"key": "k"}]), "rules[0].values"),
        (lambda r: r.process("x", priority="urgent"), "priority"),
        (lambda r: r.route("x", routing={"hedged": True}), "routing.hedged"),
        (lambda r: r.process_ensemble("x", ["m"], aggregation="sum"), "aggregation"),
        (lambda r: r.register_model("x", provider="echo", pricing=5), "pricing"),
    ],
)
async def test_mistakes_are_named(
    router: LLMRouter, call: Callable[[Any], Awaitable[object]], field: str
) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        with pytest.raises(InvalidRequestError) as caught:
            await call(router)
    assert caught.value.field == field
