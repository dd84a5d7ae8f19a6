from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.cache.canonical import IGNORED_OF_ROUTING, SHAPING_OF_ROUTING, canonical
from llm_runner_router.cache.digests import Digests
from llm_runner_router.cache.key import (
    IGNORED_OF_REQUEST,
    SHAPING_OF_REQUEST,
    cache_key,
    deterministic,
)
from llm_runner_router.candidates import Candidates
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    AliasTarget,
    ModelConfig,
    ModelRecord,
)
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool, ToolChoice, ToolMode
from llm_runner_router.types import Message, ModelFormat, Request, Role
from unit.echoes import model

OTHER: Mapping[str, Any] = {
    "prompt": "other",
    "raw": True,
    "messages": (Message(Role.USER, "hello"),),
    "model": "other",
    "max_tokens": 0,
    "temperature": 0.0,
    "top_p": 0.5,
    "top_k": 1,
    "min_p": 0.1,
    "seed": 0,
    "stop": ("x",),
    "repeat_penalty": 1.0,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "logprobs": 0,
    "prompt_logprobs": 0,
    "logit_bias": {1: 2.0},
    "ignore_eos": True,
    "metadata": {"tier": "gold"},
    "tools": (Tool("look_up"),),
    "tool_choice": ToolChoice(ToolMode.NONE),
    "response_format": ResponseFormat(FormatKind.JSON),
    "provider_options": {"reasoning": {"effort": "low"}},
    "routing": Routing(Strategy.RANDOM),
    "cache": CacheControl(CacheMode.REFRESH, any_sampling=True, ttl=1),
    "priority": Priority.HIGH,
    "template": TemplateUse("t", {"a": "b"}),
}
OTHER_ROUTING: Mapping[str, Any] = {
    "strategy": Strategy.CANARY,
    "requirements": Requirements(local_only=True),
    "fallbacks": ("b",),
    "fallback_to_capable": True,
    "max_attempts": 1,
    "first_token_timeout_ms": 5.0,
    "hedge": True,
    "affinity": "me",
}
PLAIN = Request(prompt="hello")
MODELS = (model("a", etag="1"), model("b", etag="2"))


def key(request: Request, models: Sequence[ModelRecord], **values: Any) -> str:
    return cache_key(request, Candidates(models, **values), Digests())


def test_every_field_of_a_request_is_classified_once() -> None:
    names = {field.name for field in fields(Request)}
    assert names == SHAPING_OF_REQUEST | set(IGNORED_OF_REQUEST)
    assert not SHAPING_OF_REQUEST & set(IGNORED_OF_REQUEST)
    assert all(IGNORED_OF_REQUEST.values())


def test_every_field_of_its_routing_is_classified_once() -> None:
    names = {field.name for field in fields(Routing)}
    assert names == SHAPING_OF_ROUTING | set(IGNORED_OF_ROUTING)
    assert not SHAPING_OF_ROUTING & set(IGNORED_OF_ROUTING)
    assert all(IGNORED_OF_ROUTING.values())


@pytest.mark.parametrize("name", [field.name for field in fields(Request)])
def test_a_field_that_shapes_the_answer_changes_the_key_and_no_other(name: str) -> None:
    changed = replace(PLAIN, **{name: OTHER[name]})
    assert changed != PLAIN
    differs = key(changed, MODELS) != key(PLAIN, MODELS)
    assert differs == (name in SHAPING_OF_REQUEST)


@pytest.mark.parametrize("name", [field.name for field in fields(Routing)])
def test_so_does_what_chooses_the_model(name: str) -> None:
    changed = replace(PLAIN, routing=Routing(**{name: OTHER_ROUTING[name]}))
    differs = key(changed, MODELS) != key(PLAIN, MODELS)
    assert differs == (name in SHAPING_OF_ROUTING)


def test_candidates_count_in_any_order_by_their_content_alone() -> None:
    found = key(PLAIN, MODELS)
    assert found == key(PLAIN, MODELS[::-1])
    assert found == key(PLAIN, (MODELS[0], model("b", etag="of another service")))
    assert found != key(PLAIN, MODELS[:1])
    warm = ModelConfig(temperature=0.5)
    assert found != key(PLAIN, (MODELS[0], model("b", config=warm)))


ALIAS = Alias("chat", (AliasTarget("a"), AliasTarget("b")), etag="1")


@pytest.mark.parametrize(
    "changed",
    [
        {"targets": (AliasTarget("a"), AliasTarget("b", 2.0))},
        {"targets": ALIAS.targets[::-1]},
        {"strategy": Strategy.CANARY},
        {"fallbacks": ("b",)},
        {"rules": (AliasRule("tier", ("gold",), "a"),)},
    ],
)
def test_an_alias_counts_by_its_content(changed: dict[str, Any]) -> None:
    found = key(PLAIN, MODELS, alias=ALIAS)
    assert found == key(PLAIN, MODELS, alias=replace(ALIAS, etag="2"))
    assert found != key(PLAIN, MODELS, alias=replace(ALIAS, **changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"alias": ALIAS},
        {"strategy": Strategy.BALANCED},
        {"sticky": "alice"},
        {"fallbacks": ("a",)},
        {"fallbacks": ("b", "a")},
    ],
)
def test_what_chooses_counts(changed: dict[str, Any]) -> None:
    found = key(PLAIN, MODELS, fallbacks=("a", "b"))
    assert found != key(PLAIN, MODELS, **{"fallbacks": ("a", "b"), **changed})


def test_the_order_of_mappings_does_not_count_but_that_of_schemas_does() -> None:
    one = replace(PLAIN, metadata={"a": "1", "b": "2"}, logit_bias={1: 1.0, 10: 2.0})
    two = replace(PLAIN, metadata={"b": "2", "a": "1"}, logit_bias={10: 2.0, 1: 1.0})
    assert key(one, MODELS) == key(two, MODELS)
    three = replace(PLAIN, tools=(Tool("f", parameters='{"a": 1, "b": 2}'),))
    four = replace(PLAIN, tools=(Tool("f", parameters='{"b": 2, "a": 1}'),))
    assert key(three, MODELS) != key(four, MODELS)


def test_a_number_is_not_its_text() -> None:
    options: list[Mapping[Any, Any]] = [{"a": 1}, {"a": "1"}, {"a": 1.0}, {"a": True}]
    options += [{"a": {1: 2}}, {"a": {"1": 2}}]
    keys = {key(replace(PLAIN, provider_options=one), MODELS) for one in options}
    assert len(keys) == len(options)


def test_a_tuple_and_a_list_are_one() -> None:
    one, two = replace(PLAIN, stop=("a", "b")), replace(PLAIN, stop=["a", "b"])
    assert key(one, MODELS) == key(two, MODELS)


def test_options_that_are_not_json_are_refused_by_name() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    for options in ({"x": object()}, {"x": b"1"}, {"x": {1, 2}}, endless):
        with pytest.raises(InvalidRequestError, match="provider_options"):
            key(replace(PLAIN, provider_options=options), MODELS)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3)
    ),
    max_leaves=6,
)


def same(one: object, two: object) -> bool:
    """Equality that keeps 1, 1.0 and True apart."""
    return repr(normal(one)) == repr(normal(two))


def normal(value: object) -> object:
    if isinstance(value, dict):
        return {
            "items": sorted(((repr(key), normal(item)) for key, item in value.items()), key=repr)
        }
    return [normal(item) for item in value] if isinstance(value, list) else value


@given(VALUES, VALUES)
def test_different_values_have_different_canonical_forms(one: object, two: object) -> None:
    assert (canonical(one) == canonical(two) and same(canonical(one), canonical(two))) == same(
        one, two
    )


@pytest.mark.parametrize(
    ("request_", "config", "format_", "expected"),
    [
        (Request(), ModelConfig(), ModelFormat.GGUF, False),
        (Request(temperature=0), ModelConfig(), ModelFormat.GGUF, True),
        (Request(temperature=0), ModelConfig(), ModelFormat.API, True),
        (Request(temperature=0.1), ModelConfig(temperature=0), ModelFormat.GGUF, False),
        (Request(), ModelConfig(temperature=0), ModelFormat.API, True),
        (Request(), ModelConfig(temperature=0.5), ModelFormat.API, False),
        (Request(), ModelConfig(), ModelFormat.API, False),
        (Request(top_k=1), ModelConfig(), ModelFormat.API, True),
        (Request(top_k=2), ModelConfig(top_k=1), ModelFormat.GGUF, False),
        (Request(), ModelConfig(top_k=1), ModelFormat.GGUF, True),
        (Request(seed=0), ModelConfig(), ModelFormat.GGUF, True),
        (Request(seed=0), ModelConfig(), ModelFormat.API, False),
        (Request(), ModelConfig(seed=0), ModelFormat.GGUF, True),
        (Request(), ModelConfig(seed=0), ModelFormat.API, False),
    ],
)
def test_who_would_answer_the_same_again(
    request_: Request, config: ModelConfig, format_: ModelFormat, *, expected: bool
) -> None:
    record = replace(model("a", config=config), format=format_)
    assert deterministic(request_, [record]) == expected


def test_every_candidate_must_answer_the_same_again() -> None:
    greedy, other = model("a", config=ModelConfig(temperature=0)), model("b")
    assert deterministic(Request(), [greedy])
    assert not deterministic(Request(), [greedy, other])
    remote = replace(other, format=ModelFormat.API)
    assert not deterministic(Request(seed=1), [other, remote])
    assert not deterministic(Request(temperature=0), [])
