"""Our answers as LangChain's messages."""

from __future__ import annotations

import json
from collections.abc import Iterable

from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    InvalidToolCall,
    ToolCall,
    ToolCallChunk,
)
from langchain_core.messages.tool import invalid_tool_call, tool_call, tool_call_chunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from llm_runner_router.compat.langchain.usage import beginning, logprobs_of, outcome, usage_of
from llm_runner_router.tools import ToolCall as AskedCall
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import Chunk, Complete, Event, Response, Started


def result_of(response: Response) -> ChatResult:
    """A whole answer."""
    message = message_of(response)
    model = {"model_name": response.model_used}
    return ChatResult(generations=[ChatGeneration(message=message)], llm_output=model)


def message_of(response: Response) -> AIMessage:
    """The message of a whole answer."""
    valid, invalid = read_calls(response.tool_calls)
    return AIMessage(
        content=response.response,
        tool_calls=valid,
        invalid_tool_calls=invalid,
        usage_metadata=usage_of(response.metrics),
        response_metadata={
            **beginning(response.request_id, response.decision),
            **outcome(response),
            **logprobs_of(response.logprobs),
        },
    )


def chunk_of(event: Event) -> ChatGenerationChunk:
    """A piece of an answer. Each fact stands in one piece only: LangChain adds them up."""
    match event:
        case Started():
            facts = beginning(event.answer_id or event.request_id, event.decision)
            return generation(AIMessageChunk(content="", response_metadata=facts))
        case Chunk():
            return generation(
                AIMessageChunk(
                    content=event.text,
                    tool_call_chunks=[call_piece(delta) for delta in event.tool_calls],
                    response_metadata=dict(logprobs_of(event.logprobs)),
                )
            )
        case Complete():
            return generation(
                AIMessageChunk(
                    content="",
                    usage_metadata=usage_of(event.metrics),
                    response_metadata=outcome(event),
                    chunk_position="last",
                )
            )


def generation(message: AIMessageChunk) -> ChatGenerationChunk:
    """A piece that is delivered."""
    return ChatGenerationChunk(message=message)


def read_calls(calls: Iterable[AskedCall]) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    """Calls with their arguments read, and those whose arguments are no JSON object."""
    valid: list[ToolCall] = []
    invalid: list[InvalidToolCall] = []
    for call in calls:
        try:
            arguments = json.loads(call.arguments or "{}")
        except (ValueError, RecursionError):
            arguments = None
        if isinstance(arguments, dict):
            valid.append(tool_call(name=call.name, args=arguments, id=call.id))
        else:
            error = "the arguments are no JSON object"
            wrong = invalid_tool_call(name=call.name, args=call.arguments, id=call.id, error=error)
            invalid.append(wrong)
    return valid, invalid


def call_piece(delta: ToolCallDelta) -> ToolCallChunk:
    """A piece of a call."""
    return tool_call_chunk(
        name=delta.name or None, args=delta.arguments, id=delta.id or None, index=delta.index
    )
