from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

from llm_runner_router.compat.langchain.messages import messages_of
from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.tools import ToolCall
from llm_runner_router.types import Message, Role


def test_roles_texts_and_calls_are_kept_in_their_order() -> None:
    call: Any = {"type": "tool_call", "id": "c1", "name": "add", "args": {"a": "ü"}}
    bad: Any = {"type": "invalid_tool_call", "id": "c2", "name": "add", "args": "{", "error": "?"}
    messages = [
        SystemMessage("be brief"),
        HumanMessage("add", name="ann"),
        AIMessage("so be it", tool_calls=[call], invalid_tool_calls=[bad]),
        ToolMessage("3", tool_call_id="c1", status="error"),
        ChatMessage("on", role="human"),
        ChatMessage("done", role="assistant"),
    ]
    assert messages_of(messages) == (
        Message(Role.SYSTEM, "be brief"),
        Message(Role.USER, "add"),
        Message(
            Role.ASSISTANT,
            "so be it",
            (ToolCall("c1", "add", '{"a": "ü"}'), ToolCall("c2", "add", "{")),
        ),
        Message(Role.TOOL, "3", tool_call_id="c1"),
        Message(Role.USER, "on"),
        Message(Role.ASSISTANT, "done"),
    )


def test_texts_of_blocks_are_one_text_without_thoughts_and_calls() -> None:
    content: list[Any] = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "reasoning", "reasoning": "hm"},
        "one",
        {"type": "text", "text": " two", "cache_control": {"type": "ephemeral"}},
        {"type": "tool_use", "id": "1", "name": "add", "input": {}},
    ]
    assert messages_of([AIMessage(content)]) == (Message(Role.ASSISTANT, "one two"),)


@pytest.mark.parametrize(
    "kind", ["image", "image_url", "audio", "input_audio", "video", "file", "document", "tool_use"]
)
@pytest.mark.parametrize("of", [HumanMessage, SystemMessage])
def test_other_modalities_are_refused_by_their_place(kind: str, of: type[BaseMessage]) -> None:
    message = of(content=[{"type": "text", "text": "see"}, {"type": kind, "url": "x"}])
    with pytest.raises(UnsupportedError) as caught:
        messages_of([HumanMessage("hi"), message])
    assert caught.value.message.startswith(
        f"messages[1].content[1].type: '{kind}' is not offered; allowed: text"
    )


def test_an_image_as_a_tools_result_is_refused() -> None:
    message = ToolMessage([{"type": "image", "base64": "aa"}], tool_call_id="1")
    with pytest.raises(UnsupportedError, match=r"messages\[0\].content\[0\].type: 'image'"):
        messages_of([message])


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (FunctionMessage("x", name="f"), r"messages\[0\]: 'FunctionMessage'"),
        (ChatMessage("x", role="judge"), r"messages\[0\].role: 'judge'"),
        (HumanMessage([{"type": "text"}]), r"messages\[0\].content\[0\].text: None"),
    ],
)
def test_what_is_no_message_of_ours_is_refused(message: BaseMessage, field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        messages_of([message])
