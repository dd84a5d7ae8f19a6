"""Requests as Anthropic's Messages API takes them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.providers.request_json import call_arguments, json_object
from llm_runner_router.providers.request_limits import refuse
from llm_runner_router.tools import FormatKind, ResponseFormat, Tool, ToolChoice, ToolMode
from llm_runner_router.types import Message, Request, Role

DEFAULT_MAX_TOKENS = 4096
"""Of requests that set no limit: this API asks for one."""

NOT_OFFERED = (
    "raw",
    "min_p",
    "seed",
    "repeat_penalty",
    "frequency_penalty",
    "presence_penalty",
    "logprobs",
    "prompt_logprobs",
    "logit_bias",
    "ignore_eos",
)
"""Fields of a request that this API has nothing for."""

SAMPLING = ("temperature", "top_p", "top_k")

Block = dict[str, Any]


def body_of(request: Request, model: str) -> dict[str, Any]:
    """The arguments of a call of ``messages.create``.

    UnsupportedError names a field that the API does not offer, InvalidRequestError one with JSON
    in it that is none.
    """
    refuse(request, NOT_OFFERED, "Anthropic's API")
    limit = DEFAULT_MAX_TOKENS if request.max_tokens is None else request.max_tokens
    body = {"model": model, "max_tokens": limit, "messages": turns_of(request)}
    wishes = {
        "system": system_of(request.messages),
        "stop_sequences": list(request.stop),
        "tools": [tool_of(tool, index) for index, tool in enumerate(request.tools)],
        "tool_choice": choice_of(request.tool_choice),
        "output_config": output_of(request.response_format),
    }
    body |= {name: wish for name, wish in wishes.items() if wish}
    sampling = {name: getattr(request, name) for name in SAMPLING}
    return body | {name: value for name, value in sampling.items() if value is not None}


def system_of(messages: Sequence[Message]) -> str:
    """What the system says, wherever it says it: this API takes it apart from the turns."""
    said = (message.content for message in messages if message.role is Role.SYSTEM)
    return "\n\n".join(text for text in said if text)


def turns_of(request: Request) -> list[Block]:
    """The conversation in turns that alternate; the results of tools stand in the user's."""
    if request.prompt is not None:
        return [{"role": "user", "content": request.prompt}]
    said = ((role_of(message), blocks_of(message, i)) for i, message in enumerate(request.messages))
    spoken = (turn for turn in said if turn[1])
    return [
        {"role": role, "content": [block for _, blocks in turns for block in blocks]}
        for role, turns in groupby(spoken, key=lambda turn: turn[0])
    ]


def role_of(message: Message) -> str:
    """Who says it, of the two that this API knows."""
    return "assistant" if message.role is Role.ASSISTANT else "user"


def blocks_of(message: Message, index: int) -> list[Block]:
    """The content of a message; none for the system's, which is not part of the turns."""
    if message.role is Role.SYSTEM:
        return []
    if message.role is Role.TOOL:
        return [tool_result(message)]
    return [*text_blocks(message.content), *call_blocks(message, index)]


def text_blocks(text: str) -> list[Block]:
    """A block of text; none for an empty one, which this API refuses."""
    return [{"type": "text", "text": text}] if text else []


def tool_result(message: Message) -> Block:
    """What a tool answered."""
    return {
        "type": "tool_result",
        "tool_use_id": message.tool_call_id,
        "content": message.content,
    }


def call_blocks(message: Message, index: int) -> Iterator[Block]:
    """The calls that the model asked for."""
    for call, arguments in call_arguments(message, index):
        yield {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


def tool_of(tool: Tool, index: int) -> Block:
    """A tool with the schema of its input."""
    schema = json_object(f"tools[{index}].parameters", tool.parameters)
    described = {"description": tool.description} if tool.description else {}
    return {"name": tool.name, **described, "input_schema": {"type": "object", **schema}}


def choice_of(choice: ToolChoice | None) -> Block | None:
    """Which tools the model calls."""
    if choice is None:
        return None
    if choice.mode is ToolMode.FUNCTION:
        return {"type": "tool", "name": choice.name}
    return {"type": "any" if choice.mode is ToolMode.REQUIRED else choice.mode.value}


def output_of(wanted: ResponseFormat | None) -> Block | None:
    """The shape of the answer; only one with a schema can be asked for."""
    if wanted is None or wanted.kind is FormatKind.TEXT:
        return None
    if wanted.kind is FormatKind.JSON:
        raise UnsupportedError("response_format: Anthropic's API takes JSON with a schema only")
    schema = json_object("response_format.schema", wanted.schema)
    return {"format": {"type": "json_schema", "schema": schema}}
