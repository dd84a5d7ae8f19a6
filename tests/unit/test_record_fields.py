"""Records and ensembles from plain values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_runner_router.ensemble_fields import EnsembleFields, ensemble_of
from llm_runner_router.ensembles import Aggregation, EnsembleRequest, Member
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.record_fields import record_of, rules_of, targets_of
from llm_runner_router.registry.records import (
    AliasRule,
    AliasTarget,
    Endpoint,
    ModelConfig,
    ModelRecord,
    Pricing,
)
from llm_runner_router.types import ModelFormat, Request


def test_max_length_counts_another_thing_than_max_tokens() -> None:
    with pytest.warns(DeprecationWarning, match=r"config\.max_length .* use max_tokens"):
        record = record_of("m", "gpt2", {"config": {"maxLength": 50, "topK": 3}})
    assert record.config == ModelConfig(top_k=3)


def test_a_file_is_a_gguf_model() -> None:
    record = record_of("m", Path("x/m.gguf"), {"config": {"contextLength": 9}})
    assert record == ModelRecord(
        "m", "", ModelFormat.GGUF, "x/m.gguf", ModelConfig(context_length=9)
    )


def test_a_provider_makes_an_api_model() -> None:
    record = record_of(
        "gpt",
        None,
        {
            "provider": "openai",
            "endpoint": {"baseUrl": "http://h", "apiKey": "env:KEY"},
            "pricing": {"input": 1, "output": 2, "cachedInput": 0},
            "quality": 0.0,
        },
    )
    assert (record.format, record.source, record.provider) == (ModelFormat.API, "gpt", "openai")
    assert record.endpoint == Endpoint("http://h", "env:KEY")
    assert record.pricing == Pricing(1, 2, 0)
    assert record.quality == 0.0
    assert record_of("g", "gpt-5", {"provider": "openai"}).source == "gpt-5"


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: record_of("m", None, {}), "source"),
        (lambda: record_of("m", "x", {"config": 5}), "config"),  # type: ignore[typeddict-item]
        (lambda: record_of("m", "x", {"pricing": {"input": 1}}), "pricing.output"),
        (lambda: record_of("m", "x", {"endpoint": {"key": "k"}}), "endpoint.key"),
        (lambda: targets_of("a"), "targets"),
        (lambda: targets_of([5]), "targets[0]"),  # type: ignore[list-item]
        (lambda: rules_of([{"key": "tier"}]), "rules[0].values"),
        (lambda: ensemble_of("x", 5, {}), "members"),  # type: ignore[arg-type]
        (lambda: ensemble_of("x", ["a"], {"aggregation": "sum"}), "aggregation"),
        (lambda: ensemble_of("x", ["a"], {"temprature": 1}), "temprature"),
    ],
)
def test_what_cannot_be_meant_is_named(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        make()
    assert caught.value.field == field


def test_targets_and_rules() -> None:
    two = (AliasTarget("a"), AliasTarget("b", 3.0))
    assert targets_of(["a", {"model": "b", "weight": 3.0}]) == two
    assert targets_of({"a": 1.0, "b": 3.0}) == two
    rule = AliasRule("tier", ["gold"], "a")
    assert rules_of([{"key": "tier", "values": ["gold"], "model": "a"}, rule]) == (rule, rule)


def test_ensembles() -> None:
    values: EnsembleFields = {"aggregation": "best-of", "judge": "j", "seed": 1}
    assert ensemble_of("x", {"a": 2.0, "b": 1.0}, values) == EnsembleRequest(
        Request(prompt="x", seed=1),
        (Member("a", 2.0), Member("b", 1.0)),
        Aggregation.BEST_OF,
        "j",
    )
    assert ensemble_of("x", ["a", Member("b")], {}).members == (Member("a"), Member("b"))
