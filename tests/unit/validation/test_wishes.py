"""The limits of tools, formats, routing, cache, priority and templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

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
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.validation.request import validate_request

TOOL = Tool("look_up", "Looks up.", '{"type": "object"}')
CALL = ToolCall("1", "look_up", "not even JSON")
USER = Message(Role.USER, "hello")


def nested(levels: int) -> dict[str, Any]:
    """An object with so many objects inside each other."""
    values: dict[str, Any] = {}
    for _ in range(levels):
        values = {"a": values}
    return values


@pytest.mark.parametrize(
    "wishes",
    [
        {"tools": (TOOL, Tool("x" * 64))},
        {"tools": [Tool(f"t{n}") for n in range(128)]},
        {"tools": (TOOL,), "tool_choice": ToolChoice(ToolMode.FUNCTION, "look_up")},
        {"tools": (TOOL,), "tool_choice": ToolChoice(ToolMode.REQUIRED)},
        {"tool_choice": ToolChoice()},
        {"response_format": ResponseFormat()},
        {"response_format": ResponseFormat(FormatKind.JSON_SCHEMA, "n", "{}", strict=False)},
        {"provider_options": {"a": [1, None, {"b": True}], "c": 0.5, "d": "", "e": 2**53}},
        {"provider_options": nested(14)},
        {"routing": Routing(Strategy.ADAPTIVE, fallbacks=["m"] * 32, max_attempts=20)},
        {"routing": Routing(max_attempts=1, first_token_timeout_ms=1, hedge=False, affinity="a")},
        {"routing": Routing(first_token_timeout_ms=86_400_000.0, fallback_to_capable=True)},
        {"routing": Routing(requirements=Requirements(("tools",), 1, 0, 0, 0, local_only=True))},
        {"routing": Routing(requirements=Requirements(min_quality=1.0))},
        {"cache": CacheControl(CacheMode.REFRESH, any_sampling=True, ttl=0)},
        {"priority": Priority.LOW},
    ],
    ids=lambda value: str(value)[:50],
)
def test_good_wishes_pass(wishes: dict[str, Any]) -> None:
    validate_request(Request(prompt="x", **wishes))


SHAPE = ResponseFormat(FormatKind.JSON_SCHEMA, schema="[]")


@pytest.mark.parametrize(
    ("field", "wishes"),
    [
        ("tools", {"tools": [Tool(f"t{n}") for n in range(129)]}),
        ("tools", {"tools": 5}),
        ("tools", {"tools": "look_up"}),
        ("tools", {"tools": [Tool(f"t{n}", "", f'{{"d": "{"x" * 999_900}"}}') for n in range(3)]}),
        ("tools[0]", {"tools": ["look_up"]}),
        ("tools[0].name", {"tools": [Tool("")]}),
        ("tools[0].name", {"tools": [Tool("x" * 65)]}),
        ("tools[0].name", {"tools": [Tool("look up")]}),
        ("tools[0].name", {"tools": [Tool("look\n")]}),
        ("tools[0].name", {"tools": [Tool(5)]}),
        ("tools[1].name", {"tools": [TOOL, TOOL]}),
        ("tools[0].description", {"tools": [Tool("a", "x" * 16_385)]}),
        ("tools[0].parameters", {"tools": [Tool("a", "", "{")]}),
        ("tools[0].parameters", {"tools": [Tool("a", "", "[]")]}),
        ("tools[0].parameters", {"tools": [Tool("a", "", "[" * 100_000)]}),
        ("tools[0].parameters", {"tools": [Tool("a", "", {})]}),
        ("tool_choice", {"tool_choice": "auto"}),
        ("tool_choice.mode", {"tool_choice": ToolChoice("all")}),
        ("tool_choice.mode", {"tool_choice": ToolChoice(ToolMode.REQUIRED)}),
        ("tool_choice.name", {"tool_choice": ToolChoice(ToolMode.FUNCTION, "look_up")}),
        (
            "tool_choice.name",
            {"tools": [TOOL], "tool_choice": ToolChoice(ToolMode.FUNCTION, "look")},
        ),
        ("tool_choice.name", {"tools": [TOOL], "tool_choice": ToolChoice(name="look_up")}),
        ("response_format", {"response_format": "json"}),
        ("response_format.kind", {"response_format": ResponseFormat("yaml")}),
        ("response_format.name", {"response_format": ResponseFormat(name="")}),
        ("response_format.strict", {"response_format": ResponseFormat(strict=1)}),
        ("response_format.schema", {"response_format": SHAPE}),
        ("response_format.schema", {"response_format": ResponseFormat(FormatKind.JSON_SCHEMA)}),
        ("response_format.schema", {"response_format": ResponseFormat(schema="{}")}),
        ("provider_options", {"provider_options": [1]}),
        ("provider_options", {"provider_options": nested(16)}),
        ("provider_options", {"provider_options": {"a": [0] * 4096}}),
        ("provider_options.a", {"provider_options": {"a": float("inf")}}),
        ("provider_options.a", {"provider_options": {"a": 2**53 + 1}}),
        ("provider_options.a", {"provider_options": {"a": {1, 2}}}),
        ("provider_options.a", {"provider_options": {"a": "\udcff"}}),
        ("provider_options.a[0].b", {"provider_options": {"a": [{"b": b""}]}}),
        ("provider_options key", {"provider_options": {5: 1}}),
        ("provider_options key", {"provider_options": {"": 1}}),
        ("routing", {"routing": None}),
        ("routing.strategy", {"routing": Routing("random")}),
        ("routing.fallbacks", {"routing": Routing(fallbacks=["m"] * 33)}),
        ("routing.fallbacks", {"routing": Routing(fallbacks="m")}),
        ("routing.fallbacks[1]", {"routing": Routing(fallbacks=["m", ""])}),
        ("routing.fallback_to_capable", {"routing": Routing(fallback_to_capable=1)}),
        ("routing.max_attempts", {"routing": Routing(max_attempts=0)}),
        ("routing.max_attempts", {"routing": Routing(max_attempts=21)}),
        ("routing.first_token_timeout_ms", {"routing": Routing(first_token_timeout_ms=0.5)}),
        ("routing.first_token_timeout_ms", {"routing": Routing(first_token_timeout_ms=86_400_001)}),
        ("routing.hedge", {"routing": Routing(hedge="yes")}),
        ("routing.affinity", {"routing": Routing(affinity="")}),
        ("cache", {"cache": "bypass"}),
        ("cache.mode", {"cache": CacheControl("bypass")}),
        ("cache.any_sampling", {"cache": CacheControl(any_sampling=None)}),
        ("cache.ttl", {"cache": CacheControl(ttl=-1)}),
        ("cache.ttl", {"cache": CacheControl(ttl=1.5)}),
        ("priority", {"priority": "high"}),
        ("template", {"template": TemplateUse("t")}),
    ],
    ids=lambda value: str(value)[:50],
)
def test_wrong_wishes_are_named(field: str, wishes: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request(Request(prompt="x", **wishes))
    assert caught.value.field == field
    assert caught.value.allowed
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        ("", 5),
        (".capabilities", Requirements(["x"] * 33)),
        (".capabilities[0]", Requirements([""])),
        (".context_length", Requirements(context_length=0)),
        (".max_cost_usd", Requirements(max_cost_usd=-0.1)),
        (".max_latency_ms", Requirements(max_latency_ms=float("nan"))),
        (".min_quality", Requirements(min_quality=1.1)),
        (".local_only", Requirements(local_only=1)),  # type: ignore[arg-type]
    ],
)
def test_wrong_requirements_are_named(field: str, wanted: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request(Request(prompt="x", routing=Routing(requirements=wanted)))
    assert caught.value.field == f"routing.requirements{field}"


def test_a_conversation_with_tools_passes() -> None:
    asked = Message(Role.ASSISTANT, "", (CALL,))
    validate_request(Request(messages=(USER, asked, Message(Role.TOOL, "", (), "1"))))


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (".tool_call_id", Message(Role.TOOL, "42")),
        (".tool_call_id", Message(Role.USER, "42", (), "1")),
        (".tool_calls", Message(Role.USER, "", (CALL,))),
        (".tool_calls", Message(Role.ASSISTANT, "", [CALL] * 129)),
        (".tool_calls[0]", Message(Role.ASSISTANT, "", ("call",))),  # type: ignore[arg-type]
        (".tool_calls[0].id", Message(Role.ASSISTANT, "", (ToolCall("", "f", ""),))),
        (".tool_calls[0].name", Message(Role.ASSISTANT, "", (ToolCall("1", "", ""),))),
    ],
)
def test_wrong_turns_are_named(field: str, message: Message) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request(Request(messages=(USER, message)))
    assert caught.value.field == f"messages[1]{field}"


@pytest.mark.parametrize(
    "use",
    [
        TemplateUse("t"),
        TemplateUse("t", {"question": ""}),
        TemplateUse("t", {f"v{n}": "" for n in range(64)}),
    ],
    ids=lambda use: str(use)[:40],
)
def test_a_template_makes_the_prompt(use: TemplateUse) -> None:
    validate_request(Request(template=use))


def not_alone() -> Sequence[Request]:
    use = TemplateUse("t")
    return [Request(prompt="x", template=use), Request(messages=(USER,), template=use)]


@pytest.mark.parametrize("request_", not_alone())
def test_a_template_stands_alone(request_: Request) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request(request_)
    assert caught.value.field == "template"


@pytest.mark.parametrize(
    ("field", "use"),
    [
        ("template", "t"),
        ("template.id", TemplateUse("")),
        ("template.variables", TemplateUse("t", ["question"])),  # type: ignore[arg-type]
        ("template.variables", TemplateUse("t", {f"v{n}": "" for n in range(65)})),
        ("template.variables['a']", TemplateUse("t", {"a": 1})),  # type: ignore[dict-item]
        ("template.variables key", TemplateUse("t", {"": "x"})),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_templates_are_named(field: str, use: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        validate_request(Request(template=use))
    assert caught.value.field == field
