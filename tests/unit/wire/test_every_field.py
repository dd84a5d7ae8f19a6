"""No field is forgotten on the wire: each is set to something unusual, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Any

import pytest

from llm_runner_router.decision import (
    Attempt,
    CacheState,
    Decision,
    Exclusion,
    ScoredCandidate,
)
from llm_runner_router.ensembles import (
    Aggregation,
    EnsembleRequest,
    EnsembleResponse,
    Member,
    MemberResult,
)
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
    ChangeKind,
    Endpoint,
    MemoryEstimate,
    ModelConfig,
    ModelDetails,
    ModelLimits,
    ModelPerformance,
    ModelQuery,
    ModelRecord,
    ModelView,
    Pricing,
    PromptTemplate,
    PullProgress,
    RegistryChange,
    UsageQuery,
    UsageRow,
)
from llm_runner_router.tools import (
    FormatKind,
    ResponseFormat,
    Tool,
    ToolCall,
    ToolCallDelta,
    ToolChoice,
    ToolMode,
)
from llm_runner_router.types import (
    CacheCounts,
    Chunk,
    Complete,
    FinishReason,
    HealthReport,
    Message,
    Metrics,
    ModelFormat,
    Request,
    Response,
    Role,
    Started,
    Status,
    TokenLogprob,
    TopLogprob,
)
from llm_runner_router.wire.aliases import alias_from_wire, alias_to_wire
from llm_runner_router.wire.changes import change_from_wire, change_to_wire
from llm_runner_router.wire.ensembles import (
    ensemble_from_wire,
    ensemble_response_from_wire,
    ensemble_response_to_wire,
    ensemble_to_wire,
)
from llm_runner_router.wire.events import (
    event_from_wire,
    event_to_wire,
    response_from_wire,
    response_to_wire,
)
from llm_runner_router.wire.models import query_from_wire as models_from_wire
from llm_runner_router.wire.models import query_to_wire as models_to_wire
from llm_runner_router.wire.models import view_from_wire, view_to_wire
from llm_runner_router.wire.pulls import pull_from_wire, pull_to_wire
from llm_runner_router.wire.reports import (
    health_from_wire,
    health_to_wire,
    status_from_wire,
    status_to_wire,
)
from llm_runner_router.wire.requests import request_from_wire, request_to_wire
from llm_runner_router.wire.templates import template_from_wire, template_to_wire
from llm_runner_router.wire.usage import (
    query_from_wire,
    query_to_wire,
    usage_from_wire,
    usage_to_wire,
)

CALL = ToolCall("call-1", "look_up", '{"b": 1, "a": 2}')
MESSAGE = Message(Role.TOOL, "42", (CALL,), "call-1")
ROUTING = Routing(
    Strategy.CANARY,
    Requirements(("tools",), 4096, 0.5, 250.0, 0.75, local_only=True),
    ("b", "c"),
    fallback_to_capable=True,
    max_attempts=4,
    first_token_timeout_ms=1500.0,
    hedge=False,
    affinity="user 7",
)
REQUEST = Request(
    prompt="x",
    raw=True,
    messages=(MESSAGE,),
    model="m",
    max_tokens=1,
    temperature=0.0,
    top_p=0.5,
    top_k=0,
    min_p=0.25,
    seed=7,
    stop=("a",),
    repeat_penalty=1.5,
    frequency_penalty=0.5,
    presence_penalty=-0.5,
    logprobs=0,
    prompt_logprobs=0,
    logit_bias={1: -1.0},
    ignore_eos=True,
    metadata={"k": "v"},
    tools=(Tool("look_up", "Looks up.", '{"type": "object"}'),),
    tool_choice=ToolChoice(ToolMode.FUNCTION, "look_up"),
    response_format=ResponseFormat(FormatKind.JSON_SCHEMA, "shape", "{}", strict=False),
    provider_options={"a": [1, 2.5, None, {"b": True}], "c": "text"},
    routing=ROUTING,
    cache=CacheControl(CacheMode.REFRESH, any_sampling=True, ttl=0),
    priority=Priority.HIGH,
    template=TemplateUse("t", {"question": "why"}),
)
LOGPROBS = (TokenLogprob(2, "b", -0.5, (TopLogprob(3, "c", -2.0),)),)
METRICS = Metrics(10, 5, 3, 12.5, 1.25, 3.75, 0.125, 2, 1, 0.5)
DECISION = Decision(
    "m",
    "balanced",
    (ScoredCandidate("m", 0.75, {"cost": 0.5, "quality": 1.0}),),
    (Exclusion("n", "too dear"),),
    ("o",),
    "tier = gold",
)
ATTEMPTS = (Attempt("n", "openai", "RATE_LIMITED", "slow down", 1.0, 2.5, 0.25, hedged=True),)
COMPLETE = Complete(FinishReason.TOOL_CALLS, "m", METRICS, ATTEMPTS, CacheState.COALESCED)
RESPONSE = Response(
    "id",
    "text",
    "m",
    FinishReason.CONTENT_FILTER,
    METRICS,
    (1, 2),
    LOGPROBS,
    LOGPROBS,
    (CALL,),
    DECISION,
    ATTEMPTS,
    CacheState.HIT,
)
RECORD = ModelRecord(
    "id",
    "Name",
    ModelFormat.API,
    "gpt",
    ModelConfig(
        *(0, 0, 0.0, 0.0, 0, 0.0, 0.0, ("a",), -1),
        seed=0,
        frequency_penalty=0.0,
        presence_penalty=-1.5,
        system="Be kind.",
        chat_template="{{ messages }}",
        license="MIT",
        pinned=False,
        idle_timeout=0.0,
        quantization="Q8_0",
    ),
    ("tools",),
    {"k": "v"},
    "etag",
    "openai",
    Endpoint("http://h", "env:KEY", "org", "2026-01-01", {"h": "v"}, {"store": False, "n": 3}),
    Pricing(1.0, 2.0, 0.5, 1.25, 0.0),
    0.0,
    "alice",
    ("chat", "small"),
    ModelLimits(4, 2048),
    1.5e9,
    1.75e9,
)
VIEW = ModelView(
    RECORD,
    loaded=True,
    details=ModelDetails("llama", 2**40, 2**41, 8192, 99),
    memory=MemoryEstimate(2**40, 2**33, 2**30, 2**20),
    performance=ModelPerformance(7, 42.5, 120.25, 300.5, 0.125, 2**41),
)
ENSEMBLE = EnsembleRequest(
    REQUEST, (Member("a", 0.5), Member("b", 2.0)), Aggregation.BEST_OF, "judge", 2
)
ANSWERS = EnsembleResponse(RESPONSE, (MemberResult("a", RESPONSE, None, 0.5), MemberResult("b")))
ALIAS = Alias(
    "fast",
    (AliasTarget("a", 0.25),),
    Strategy.WEIGHTED,
    ("z",),
    (AliasRule("tier", ("gold", "silver"), "a"),),
    "etag",
)


@dataclass(frozen=True)
class Case:
    """A value that has every field, and the way there and back."""

    value: Any
    there: Callable[[Any], Any]
    back: Callable[[Any], Any]


CASES = [
    Case(REQUEST, request_to_wire, request_from_wire),
    Case(Started("id", "m", LOGPROBS, DECISION, "answer"), event_to_wire, event_from_wire),
    Case(
        Chunk("t", (1,), 7, LOGPROBS, (ToolCallDelta(1, "id", "name", "{"),)),
        event_to_wire,
        event_from_wire,
    ),
    Case(COMPLETE, event_to_wire, event_from_wire),
    Case(RESPONSE, response_to_wire, response_from_wire),
    Case(VIEW, view_to_wire, view_from_wire),
    Case(ALIAS, alias_to_wire, alias_from_wire),
    Case(
        PullProgress("verifying", "a.gguf", 2**40, 2**41, 1.5e9, 0.0, "no adapter"),
        pull_to_wire,
        pull_from_wire,
    ),
    Case(ModelQuery("tags : a", "id desc", 7, "token"), models_to_wire, models_from_wire),
    *(
        Case(change, change_to_wire, change_from_wire)
        for change in (
            RegistryChange(ChangeKind.MODEL_SET, "id", model=VIEW, resume_token="t"),
            RegistryChange(ChangeKind.ALIAS_SET, "fast", alias=ALIAS, resume_token="t"),
            RegistryChange(ChangeKind.MODEL_REMOVED, "gone", resume_token="t"),
            RegistryChange(ChangeKind.ALIAS_REMOVED, "gone", resume_token="t"),
            RegistryChange(ChangeKind.SYNCED, resume_token="t"),
        )
    ),
    Case(
        PromptTemplate("t", "{a}", "T", ("\n",), ("m*",), "etag"),
        template_to_wire,
        template_from_wire,
    ),
    Case(
        UsageRow("2026-11-24", "alice", "m", 9, 1, 2**40, 2**35, 2**39, 5, 1.5, 0.5),
        lambda row: usage_to_wire([row]).rows,
        lambda rows: usage_from_wire(rows)[0],
    ),
    Case(UsageQuery("2026-11-01", "2026-11-24", "alice", "m"), query_to_wire, query_from_wire),
    Case(ENSEMBLE, ensemble_to_wire, ensemble_from_wire),
    Case(ANSWERS, ensemble_response_to_wire, ensemble_response_from_wire),
    Case(
        Status(True, "1.2.3", 4.5, 6, 7, ("a",), 8, CacheCounts(1, 2, 3, 0.5)),
        status_to_wire,
        status_from_wire,
    ),
    Case(HealthReport(True, True, {"a": True}), health_to_wire, health_from_wire),
]


def parts(value: Any) -> Iterator[Any]:
    """Every dataclass inside a value, itself among them."""
    if is_dataclass(value):
        yield value
        for field in fields(value):
            yield from parts(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from parts(item)


def usual(value: Any) -> list[str]:
    """The fields that say no more than their default does."""
    found = []
    for field in fields(value):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if default is not MISSING and getattr(value, field.name) == default:
            found.append(f"{type(value).__name__}.{field.name}")
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case.value).__name__)
def test_every_field_travels(case: Case) -> None:
    message = case.there(case.value)
    if hasattr(message, "SerializeToString"):
        message = type(message).FromString(message.SerializeToString())
    assert case.back(message) == case.value


UNTOLD = {
    "MemberResult.response": "a member has a response or an error",
    "MemberResult.error": "a member has a response or an error",
    "MemberResult.score": "the second member was cancelled",
    "RegistryChange.id": "nothing in particular is synced",
    "RegistryChange.model": "of models that are there alone",
    "RegistryChange.alias": "of aliases that are there alone",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: type(case.value).__name__)
def test_every_field_of_the_samples_is_unusual(case: Case) -> None:
    """A field that is added to a type must be added to its sample, and so to the wire."""
    found = {name for part in parts(case.value) for name in usual(part)}
    assert found <= set(UNTOLD)
