from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.ensemble.judge import picked, question_to
from llm_runner_router.errors import ProviderFailedError
from llm_runner_router.preferences import (
    CacheControl,
    CacheMode,
    Priority,
    Requirements,
    Routing,
    Strategy,
    TemplateUse,
)
from llm_runner_router.tools import ToolCall
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.validation.request import validate_request
from unit.ensemble.fakes import answer

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
ANSWERS = {0: answer("x"), 3: answer("y"), 5: answer("z")}


def data_of(request: Request) -> Any:
    return json.loads(request.messages[1].content)


@given(st.lists(TEXTS, min_size=2, max_size=4), TEXTS)
def test_no_text_can_leave_its_quotes(texts: list[str], question: str) -> None:
    request = question_to("j", Request(prompt=question), dict(enumerate(map(answer, texts))))
    assert data_of(request) == {
        "question": question,
        "answers": {str(number): text for number, text in enumerate(texts, start=1)},
    }
    assert request.messages[0] == question_to("j", Request(prompt="x"), ANSWERS).messages[0]


def test_answers_are_numbered_without_gaps() -> None:
    assert data_of(question_to("j", Request(prompt="q"), ANSWERS))["answers"] == {
        "1": "x",
        "2": "y",
        "3": "z",
    }


def test_whatever_was_asked_is_shown() -> None:
    talk = Request(messages=[Message(Role.SYSTEM, "be brief"), Message(Role.USER, "why?")])
    assert data_of(question_to("j", talk, ANSWERS))["question"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "why?"},
    ]
    template = Request(template=TemplateUse("ask", {"question": "why?"}))
    assert data_of(question_to("j", template, ANSWERS))["question"] == {
        "template": "ask",
        "variables": {"question": "why?"},
    }


def test_tool_calls_are_shown() -> None:
    calls = replace(answer("hm"), tool_calls=(ToolCall("1", "find", '{"a": 1}'),))
    assert data_of(question_to("j", Request(prompt="q"), {0: calls, 1: answer("x")}))[
        "answers"
    ] == {
        "1": {"text": "hm", "tool_calls": [{"name": "find", "arguments": '{"a": 1}'}]},
        "2": "x",
    }


def test_the_judge_is_asked_as_the_request_was() -> None:
    request = Request(
        prompt="q",
        temperature=1.5,
        stop=["2"],
        logprobs=3,
        metadata={"team": "a"},
        cache=CacheControl(CacheMode.BYPASS),
        priority=Priority.HIGH,
        routing=Routing(Strategy.RANDOM, Requirements(["tools"], local_only=True), ["a"]),
    )
    question = question_to("j", request, ANSWERS)
    validate_request(question)
    assert question.temperature == 0
    assert (question.stop, question.logprobs) == ((), None)
    assert question.metadata == {"team": "a"}
    assert question.cache.mode is CacheMode.BYPASS
    assert question.priority is Priority.HIGH
    assert question.routing == Routing(requirements=Requirements(local_only=True))
    assert question_to("j", Request(prompt="q"), ANSWERS).routing == Routing()


@pytest.mark.parametrize(
    ("said", "place"),
    [("1", 0), ("2", 3), (" 3\n", 5), ("Answer 2 is better than 1.", 3), ("**3**", 5)],
)
def test_the_first_whole_number_picks(said: str, place: int) -> None:
    assert picked(answer(said), ANSWERS) == place


@pytest.mark.parametrize("said", ["", "none", "0", "4", "17", "4 or 1", "9" * 5000, "二", "٢"])
def test_anything_else_is_nonsense(said: str) -> None:
    with pytest.raises(ProviderFailedError) as caught:
        picked(answer(said), ANSWERS)
    assert "1 to 3" in caught.value.message
    assert len(caught.value.message) < 200
