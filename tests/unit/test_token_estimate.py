from __future__ import annotations

from dataclasses import replace

import pytest

from llm_runner_router.token_estimate import prompt_tokens, text_tokens
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool, ToolCall
from llm_runner_router.types import Message, Request, Role

HELLO = Request(prompt="12345678")
SHAPE = ResponseFormat(FormatKind.JSON_SCHEMA, schema='{"type":"object"}---')
CALLING = Message(Role.ASSISTANT, "1234", [ToolCall("call-1", "find", '{"a":"bc"}--')])


def test_a_started_token_is_a_whole_one() -> None:
    assert [text_tokens(text) for text in ("", "1", "1234", "12345")] == [0, 1, 1, 2]


@pytest.mark.parametrize(
    ("request_", "tokens"),
    [
        (Request(), 1),
        (HELLO, 2),
        (Request(messages=[Message(Role.USER, "123"), Message(Role.USER, "45")]), 2),
        (Request(messages=[CALLING]), 1 + 1 + 3),
        (replace(HELLO, tools=[Tool("name", "tell", '{"type":"object"}---')] * 2), 2 + 2 * 7),
        (replace(HELLO, response_format=ResponseFormat(FormatKind.JSON)), 2),
        (replace(HELLO, response_format=SHAPE), 2 + 5),
    ],
)
def test_all_that_a_model_reads_is_counted(request_: Request, tokens: int) -> None:
    assert prompt_tokens(request_) == tokens
