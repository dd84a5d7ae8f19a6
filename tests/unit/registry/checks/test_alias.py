"""The limits of aliases and of templates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.checks.alias import checked_alias
from llm_runner_router.registry.checks.template import MAX_FORMAT, checked_template
from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget, PromptTemplate

ALIAS = Alias("a", (AliasTarget("m"),))
TEMPLATE = PromptTemplate("t", "{question}")


def test_what_is_stored_is_plain() -> None:
    rules = [AliasRule("k", ["", "v"], "m")]
    alias = Alias("a", [AliasTarget("m", 0), AliasTarget("n", 1)], Strategy.CANARY, ["m"], rules)
    assert checked_alias(alias) == Alias(
        "a",
        (AliasTarget("m", 0), AliasTarget("n", 1)),
        Strategy.CANARY,
        ("m",),
        (AliasRule("k", ("", "v"), "m"),),
    )
    many = tuple(AliasTarget(f"m{number}") for number in range(64))
    checked_alias(replace(ALIAS, targets=many, rules=tuple(rules * 32)))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("id", {"id": ""}),
        ("id", {"id": "x" * 129}),
        ("strategy", {"strategy": "canary"}),
        ("targets", {"targets": ()}),
        ("targets", {"targets": tuple(AliasTarget(f"m{n}") for n in range(65))}),
        ("targets", {"targets": (AliasTarget("m", 0.0), AliasTarget("n", 0.0))}),
        ("targets[1]", {"targets": (AliasTarget("m"), AliasTarget("m"))}),
        ("targets[0]", {"targets": (AliasTarget(""),)}),
        ("targets[0].weight", {"targets": (AliasTarget("m", -1.0),)}),
        ("targets[0].weight", {"targets": (AliasTarget("m", float("inf")),)}),
        ("targets[0].weight", {"targets": (AliasTarget("m", None),)}),
        ("fallbacks", {"fallbacks": "m"}),
        ("fallbacks[1]", {"fallbacks": ("m", "m")}),
        ("rules", {"rules": (AliasRule("k", ("v",), "m"),) * 33}),
        ("rules[0].key", {"rules": (AliasRule("", ("v",), "m"),)}),
        ("rules[0].model", {"rules": (AliasRule("k", ("v",), ""),)}),
        ("rules[0].values", {"rules": (AliasRule("k", (), "m"),)}),
        ("rules[0].values", {"rules": (AliasRule("k", ("v",) * 65, "m"),)}),
        ("rules[0].values[1]", {"rules": (AliasRule("k", ("v", "x" * 1025), "m"),)}),
    ],
)
def test_wrong_fields_of_aliases_are_named(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_alias(replace(ALIAS, **values))
    assert caught.value.field == field


def test_a_template_is_named_by_its_id() -> None:
    template = checked_template(replace(TEMPLATE, model_compatibility=["m*"], stop_tokens=["."]))
    assert template == PromptTemplate("t", "{question}", "t", (".",), ("m*",))
    checked_template(replace(TEMPLATE, format="x" * MAX_FORMAT))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("id", {"id": " t"}),
        ("name", {"name": "x" * 257}),
        ("format", {"format": ""}),
        ("format", {"format": "x" * (MAX_FORMAT + 1)}),
        ("format", {"format": "{question"}),
        ("format", {"format": "{question}\0"}),
        ("stop_tokens[0]", {"stop_tokens": ("",)}),
        ("stop_tokens", {"stop_tokens": ("x",) * 17}),
        ("model_compatibility", {"model_compatibility": ("x",) * 65}),
        ("model_compatibility[0]", {"model_compatibility": ("",)}),
    ],
)
def test_wrong_fields_of_templates_are_named(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_template(replace(TEMPLATE, **values))
    assert caught.value.field == field
