from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import ProviderFailedError, ProviderRejectedError
from llm_runner_router.providers.base import Delta, Finished, Progress
from llm_runner_router.providers.openai_events import DONE, OpenAIAnswer
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, TokenLogprob, TopLogprob


def chunk(delta: Any = None, **choice: Any) -> bytes:
    return json.dumps({"choices": [{"index": 0, "delta": delta or {}, **choice}]}).encode()


def test_what_waits_comes_in_one() -> None:
    answer = OpenAIAnswer("acme")
    first = answer.take([chunk({"role": "assistant", "content": ""})])
    assert first == []
    assert answer.take([chunk({"content": "a"}), chunk({"content": "b"})]) == [Delta("ab")]
    assert answer.take([chunk(finish_reason="length"), DONE, chunk({"content": "late"})]) == []
    assert answer.done
    assert answer.finished() == Finished(FinishReason.LENGTH, Metrics())


def test_what_came_before_a_failure_is_good() -> None:
    answer = OpenAIAnswer("acme")
    assert answer.take([chunk({"content": "a"}), b"{no json"]) == [Delta("a")]
    assert isinstance(answer.failure, ProviderFailedError)


def test_logprobs_of_a_chat() -> None:
    entry = {"token": "a", "logprob": -1, "top_logprobs": [{"token": "b", "logprob": -2.5}]}
    answer = OpenAIAnswer("acme")
    (delta,) = answer.take([chunk({"content": "a"}, logprobs={"content": [{**entry, "id": 7}]})])
    assert isinstance(delta, Delta)
    assert delta.logprobs == (TokenLogprob(7, "a", -1.0, [TopLogprob(0, "b", -2.5)]),)


def test_two_calls_and_parts_and_other_choices() -> None:
    answer = OpenAIAnswer("acme")
    calls = [{"id": "1", "function": {"name": "f"}}, {"id": "2", "function": {"name": "g"}}]
    (delta,) = answer.take([chunk({"tool_calls": calls}), chunk({"content": "no"}, index=1)])
    assert delta == Delta("", (), (), (ToolCallDelta(0, "1", "f"), ToolCallDelta(1, "2", "g")))
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "said"}]
    assert answer.take([chunk({"content": parts})]) == [Delta("said")]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_are_no_part_of_the_answer(name: str) -> None:
    answer = OpenAIAnswer("acme")
    assert answer.take([chunk({name: "a"}), chunk({name: "b"})]) == [Progress("ab")]
    news = answer.take([chunk({name: "c", "content": "said"}), chunk({name: ""})])
    assert news == [Progress("c"), Delta("said")]
    assert answer.take([chunk({"reasoning_details": [{"type": "reasoning.encrypted"}]})]) == []


CALLING = {"tool_calls": [{"index": 0, "id": "1", "function": {"name": "f"}}]}


@pytest.mark.parametrize("said", [CALLING, {"function_call": {"name": "f"}}])
@pytest.mark.parametrize(
    ("word", "reason"),
    [("stop", FinishReason.TOOL_CALLS), (None, FinishReason.TOOL_CALLS), ("length", None)],
)
def test_an_answer_that_calls_does_not_just_stop(
    said: dict[str, Any], word: str | None, reason: FinishReason | None
) -> None:
    answer = OpenAIAnswer("acme")
    answer.take([chunk(said)])
    answer.take([chunk(finish_reason=word), DONE])
    assert answer.finished().finish_reason is (reason or FinishReason.LENGTH)


def test_a_call_in_the_old_way() -> None:
    answer = OpenAIAnswer("acme")
    (first,) = answer.take([chunk({"function_call": {"name": "f", "arguments": ""}})])
    (second,) = answer.take([chunk({"function_call": {"arguments": "{}"}})])
    assert first == Delta("", tool_calls=(ToolCallDelta(0, "", "f"),))
    assert second == Delta("", tool_calls=(ToolCallDelta(0, arguments="{}"),))


@pytest.mark.parametrize(
    ("usage", "metrics"),
    [
        ({"prompt_tokens": 3, "completion_tokens": None}, Metrics(prompt_tokens=3)),
        ({"prompt_tokens": 3, "prompt_cache_hit_tokens": 2}, Metrics(3, cached_tokens=2)),
        (
            {"prompt_tokens": 9, "prompt_tokens_details": {"cache_write_tokens": 4}},
            Metrics(9, cache_write_tokens=4),
        ),
        ({"cost": {"total_cost": 1}}, Metrics()),
        ({"cost": 0.5}, Metrics(cost_usd=0.5)),
    ],
)
def test_usage_in_many_shapes(usage: dict[str, Any], metrics: Metrics) -> None:
    answer = OpenAIAnswer("acme")
    answer.take([json.dumps({"choices": [], "usage": usage}).encode()])
    assert answer.metrics == metrics


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[1]",
        b'{"choices": 7}',
        b'{"choices": [null]}',
        chunk({"content": 7}),
        chunk({"tool_calls": [{"index": -1}]}),
        chunk({"tool_calls": [{"function": {"arguments": {}}}]}),
        chunk(finish_reason="whatever"),
        chunk(finish_reason={"x": 1}),
        chunk(logprobs={"content": [{}]}),
        b'{"usage": {"prompt_tokens": -1}}',
        b'{"usage": {"prompt_tokens": 1.5}}',
        b'{"usage": {"prompt_tokens": true}}',
        b'{"error": {"message": "x"}}',
        b'{"error": "x"}',
    ],
)
def test_nonsense(payload: bytes) -> None:
    answer = OpenAIAnswer("acme")
    assert answer.take([payload]) == []
    assert type(answer.failure) is ProviderFailedError


def test_an_error_with_a_status_and_the_key() -> None:
    answer = OpenAIAnswer("acme", "sk-key")
    answer.take([b'{"error": {"code": 401, "message": "not sk-key"}}'])
    assert isinstance(answer.failure, ProviderRejectedError)
    assert "not …" in answer.failure.message


def test_an_end_that_is_none() -> None:
    with pytest.raises(ProviderFailedError, match="before the end"):
        OpenAIAnswer("acme").finished()


@given(st.binary() | st.text().map(lambda text: json.dumps({"choices": text}).encode()))
def test_no_bytes_raise(payload: bytes) -> None:
    answer = OpenAIAnswer("acme")
    answer.take([payload])
    assert answer.failure is None or isinstance(answer.failure, ProviderFailedError)
