"""What another service is asked, and what its events mean."""

from __future__ import annotations

from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.providers.base import Accepted, Delta, Finished
from llm_runner_router.providers.remote import EventReader, forwarded
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import (
    Chunk,
    Complete,
    FinishReason,
    Metrics,
    ModelFormat,
    Request,
    Started,
    TokenLogprob,
)

LOGPROB = TokenLogprob(1, "a", -0.5)
STARTED = Started("far-1", "llama", (LOGPROB,))
METRICS = Metrics(prompt_tokens=3, completion_tokens=1, cost_usd=0.25)
COMPLETE = Complete(FinishReason.LENGTH, "llama", METRICS)


def test_a_start_says_nothing_until_content_comes() -> None:
    reader = EventReader()
    assert reader.read(STARTED) == []
    call = ToolCallDelta(0, "c", "now")
    chunk = Chunk("a", (1,), 0, (LOGPROB,), (call,))
    assert reader.read(chunk) == [Accepted((LOGPROB,)), Delta("a", (1,), (LOGPROB,), (call,))]
    assert reader.read(Chunk("b", (2,), 1)) == [Delta("b", (2,))]
    assert not reader.finished
    assert reader.read(COMPLETE) == [Finished(FinishReason.LENGTH, METRICS)]
    assert reader.finished


def test_an_answer_without_content_is_accepted_at_its_end() -> None:
    reader = EventReader()
    reader.read(STARTED)
    assert reader.read(COMPLETE) == [
        Accepted((LOGPROB,)),
        Finished(FinishReason.LENGTH, METRICS),
    ]


def test_what_was_decided_here_is_not_asked_again() -> None:
    endpoint = Endpoint("far:1", options={"a": 1, "b": 1})
    record = ModelRecord("far", "far", ModelFormat.API, "", provider="remote", endpoint=endpoint)
    request = Request(
        prompt="hi",
        model="far",
        seed=0,
        metadata={"team": "a"},
        priority=Priority.HIGH,
        routing=Routing(strategy=Strategy.RANDOM, max_attempts=9),
        cache=CacheControl(any_sampling=True),
        template=TemplateUse("t"),
        provider_options={"b": 2},
    )
    assert forwarded(request, record) == Request(
        prompt="hi",
        model=None,
        seed=0,
        metadata={"team": "a"},
        priority=Priority.HIGH,
        cache=CacheControl(mode=CacheMode.BYPASS),
        provider_options={"a": 1, "b": 2},
    )
