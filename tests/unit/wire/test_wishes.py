"""What a request may wish travels whole; what the wire cannot hold, or does not know, is named."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.struct_pb2 import Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.decision import CacheState
from llm_runner_router.ensembles import EnsembleRequest, Member, MemberResult
from llm_runner_router.errors import InvalidRequestError, TimeLimitError
from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.registry.records import Alias, AliasRule, AliasTarget, Endpoint, Pricing
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.v1 import registry_pb2, router_pb2, types_pb2
from llm_runner_router.wire.aliases import alias_from_wire, alias_to_wire
from llm_runner_router.wire.decisions import cache_state_from_wire
from llm_runner_router.wire.endpoints import (
    endpoint_from_wire,
    endpoint_to_wire,
    pricing_from_wire,
    pricing_to_wire,
)
from llm_runner_router.wire.ensembles import (
    ensemble_from_wire,
    ensemble_to_wire,
    member_result_from_wire,
    member_result_to_wire,
)
from llm_runner_router.wire.requests import request_from_wire, request_to_wire
from llm_runner_router.wire.structs import struct_from_wire, struct_to_wire
from llm_runner_router.wire.usage import feedback_to_wire

counts = st.integers(0, 2**32 - 1)
numbers = st.floats(allow_nan=False)
texts = st.text(max_size=10)
names = st.lists(texts, max_size=3).map(tuple)
plain = (
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts
).filter(lambda value: value not in (float("inf"), -float("inf")))
keys = st.text(min_size=1, max_size=8)
objects = st.dictionaries(
    keys,
    st.recursive(
        plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
    ),
    max_size=3,
)
calls = st.builds(ToolCall, texts, texts, texts)
messages = st.builds(
    Message, st.sampled_from(Role), texts, st.lists(calls, max_size=2).map(tuple), texts
)
requests = st.builds(
    Request,
    messages=st.lists(messages, max_size=2).map(tuple),
    tools=st.lists(st.builds(Tool, texts, texts, texts), max_size=3).map(tuple),
    tool_choice=st.none() | st.builds(ToolChoice, st.sampled_from(ToolMode), texts),
    response_format=st.none()
    | st.builds(ResponseFormat, st.sampled_from(FormatKind), texts, texts, st.booleans()),
    provider_options=objects,
    routing=st.builds(
        Routing,
        st.none() | st.sampled_from(Strategy),
        st.builds(
            Requirements,
            names,
            st.none() | counts,
            st.none() | numbers,
            st.none() | numbers,
            st.none() | numbers,
            st.booleans(),
        ),
        names,
        st.booleans(),
        st.none() | counts,
        st.none() | numbers,
        st.none() | st.booleans(),
        st.none() | texts,
    ),
    cache=st.builds(CacheControl, st.sampled_from(CacheMode), st.booleans(), st.none() | counts),
    priority=st.sampled_from(Priority),
    template=st.none() | st.builds(TemplateUse, texts, st.dictionaries(texts, texts, max_size=3)),
)


@given(requests)
def test_wishes(request: Request) -> None:
    message = router_pb2.ProcessRequest.FromString(request_to_wire(request).SerializeToString())
    assert request_from_wire(message) == request


def test_what_is_not_said_takes_no_place() -> None:
    assert request_to_wire(Request(prompt="x")).SerializeToString() == b"\x0a\x01x"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tools": 5}, "tools"),
    ({"tools": [5]}, "tools[0]"),
    ({"tools": [Tool("a"), Tool(3)]}, "tools[1].name"),  # type: ignore[arg-type]
    ({"tool_choice": "auto"}, "tool_choice"),
    ({"tool_choice": ToolChoice("all")}, "tool_choice.mode"),  # type: ignore[arg-type]
    ({"response_format": {}}, "response_format"),
    ({"response_format": ResponseFormat(strict=3.5)}, "response_format.strict"),  # type: ignore[arg-type]
    ({"provider_options": {"a": float("nan")}}, "provider_options.a"),
    ({"provider_options": {"a": [0, 2**53 + 1]}}, "provider_options.a[1]"),
    ({"provider_options": {"a": {1: 2}}}, "provider_options.a key"),
    ({"provider_options": []}, "provider_options"),
    ({"routing": None}, "routing"),
    ({"routing": Routing(strategy="best")}, "routing.strategy"),  # type: ignore[arg-type]
    ({"routing": Routing(max_attempts=-1)}, "routing.max_attempts"),
    ({"routing": Routing(fallbacks=5)}, "routing.fallbacks"),  # type: ignore[arg-type]
    ({"routing": Routing(requirements=3)}, "routing.requirements"),  # type: ignore[arg-type]
    (
        {"routing": Routing(requirements=Requirements(context_length=-1))},
        "routing.requirements.context_length",
    ),
    ({"cache": CacheControl("never")}, "cache.mode"),  # type: ignore[arg-type]
    ({"cache": CacheControl(ttl=-1)}, "cache.ttl"),
    ({"priority": []}, "priority"),
    ({"template": "t"}, "template"),
    ({"template": TemplateUse("t", {"a": 1})}, "template.variables"),  # type: ignore[dict-item]
    ({"messages": 5}, "messages"),
    ({"messages": ["hello"]}, "messages[0]"),
    ({"messages": [Message(Role.TOOL, "", (), 5)]}, "messages[0].tool_call_id"),  # type: ignore[arg-type]
    ({"messages": [Message(Role.ASSISTANT, "", (5,))]}, "messages[0].tool_calls[0]"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("wrong", "field"), WRONG, ids=lambda value: str(value)[:40])
def test_wishes_that_a_message_cannot_hold_are_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        request_to_wire(Request(**wrong))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (router_pb2.ProcessRequest(priority=77), "priority"),  # type: ignore[arg-type]
        (router_pb2.ProcessRequest(routing={"strategy": 77}), "routing.strategy"),  # type: ignore[dict-item]
        (router_pb2.ProcessRequest(cache={"mode": 77}), "cache.mode"),  # type: ignore[dict-item]
        (router_pb2.ProcessRequest(tool_choice={"mode": 77}), "tool_choice.mode"),  # type: ignore[dict-item]
        (router_pb2.ProcessRequest(response_format={"kind": 77}), "response_format.kind"),  # type: ignore[dict-item]
    ],
)
def test_words_of_later_versions_are_refused(
    message: router_pb2.ProcessRequest, field: str
) -> None:
    with pytest.raises(InvalidRequestError, match="77") as caught:
        request_from_wire(message)
    assert caught.value.field == field


def test_unspecified_leaves_it_to_the_service() -> None:
    said = router_pb2.ProcessRequest(
        routing={}, cache={}, tool_choice={}, response_format={}, template={}
    )
    assert request_from_wire(said) == Request(
        tool_choice=ToolChoice(), response_format=ResponseFormat(), template=TemplateUse("")
    )


def test_cache_states_of_later_versions_count_as_none() -> None:
    assert cache_state_from_wire(77) is CacheState.OFF  # type: ignore[arg-type]


@given(objects)
def test_json_objects(values: dict[str, Any]) -> None:
    message = Struct.FromString(struct_to_wire(values, "options").SerializeToString())
    assert struct_from_wire(message) == values


def test_whole_numbers_are_whole_again() -> None:
    back = struct_from_wire(struct_to_wire({"n": 3, "x": 0.5, "big": 1e300}, "options"))
    assert (type(back["n"]), type(back["x"]), type(back["big"])) == (int, float, float)


def test_values_that_say_nothing_are_null() -> None:
    assert struct_from_wire(Struct(fields={"a": Value()})) == {"a": None}


def test_zero_prices_differ_from_none() -> None:
    free = Pricing(1.0, 2.0, 0.0, None, 0.0)
    assert pricing_from_wire(pricing_to_wire(free)) == free
    assert endpoint_from_wire(endpoint_to_wire(Endpoint(base_url=""))) == Endpoint(base_url="")


def test_weights_of_aliases_and_members_are_one_where_unsaid() -> None:
    alias = registry_pb2.Alias(id="a", targets=[{"model": "m"}])
    assert alias_from_wire(alias).targets == (AliasTarget("m", 1.0),)
    ensemble = router_pb2.ProcessEnsembleRequest(request={"prompt": "x"}, members=[{"model": "m"}])
    assert ensemble_from_wire(ensemble) == EnsembleRequest(Request(prompt="x"), (Member("m"),))


def test_zero_weights_are_said() -> None:
    alias = Alias("a", (AliasTarget("m", 0.0),))
    assert alias_from_wire(alias_to_wire(alias)) == alias


@pytest.mark.parametrize(
    ("alias", "field"),
    [
        (Alias("a", (AliasTarget("m", "x"),)), "alias.targets[0].weight"),  # type: ignore[arg-type]
        (Alias("a", ("m",)), "alias.targets[0]"),  # type: ignore[arg-type]
        (Alias("a", (), "best"), "alias.strategy"),  # type: ignore[arg-type]
        (Alias("a", (), rules=(AliasRule("k", (1,), "m"),)), "alias.rules[0].values"),  # type: ignore[arg-type]
        (Alias(3, ()), "alias.id"),  # type: ignore[arg-type]
    ],
    ids=lambda value: str(value)[:40],
)
def test_aliases_that_a_message_cannot_hold_are_named(alias: Alias, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        alias_to_wire(alias)
    assert caught.value.field == field


def test_an_ensemble_needs_a_request() -> None:
    with pytest.raises(InvalidRequestError, match="request"):
        ensemble_from_wire(router_pb2.ProcessEnsembleRequest())
    with pytest.raises(InvalidRequestError) as caught:
        ensemble_to_wire(EnsembleRequest(Request(prompt="x"), (Member("m", "x"),)))  # type: ignore[arg-type]
    assert caught.value.field == "members[0].weight"


def test_failures_of_members() -> None:
    failed = MemberResult("m", error=TimeLimitError("too late"))
    back = member_result_from_wire(member_result_to_wire(failed))
    assert isinstance(back.error, TimeLimitError)
    assert back.response is None


def test_scores_must_be_numbers() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        feedback_to_wire("id", "good")  # type: ignore[arg-type]
    assert caught.value.field == "score"


ENUMERATIONS = [
    (types_pb2.Strategy, Strategy, 1),
    (types_pb2.Priority, Priority, 1),
    (types_pb2.CacheMode, CacheMode, 0),
    (types_pb2.CacheState, CacheState, 0),
    (types_pb2.ToolMode, ToolMode, 1),
    (types_pb2.FormatKind, FormatKind, 1),
    (types_pb2.Role, Role, 1),
]


@pytest.mark.parametrize(("numbers_", "words", "unspecified"), ENUMERATIONS, ids=repr)
def test_numbers_and_words_are_as_many(numbers_: Any, words: Any, unspecified: int) -> None:
    assert len(numbers_.keys()) == len(words) + unspecified
