"""How many tokens a text has, where no tokenizer is at hand: about four characters each."""

from __future__ import annotations

from collections.abc import Iterator

from llm_runner_router.types import Request

CHARACTERS_PER_TOKEN = 4

USUAL_ANSWER = 256
"""Tokens of an answer that has no limit."""


def text_tokens(text: str) -> int:
    """An estimate; only an empty text has none."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def prompt_tokens(request: Request) -> int:
    """An estimate of what the model reads, its tools and the answer's shape too; at least 1."""
    characters = sum(map(len, texts_of(request)))
    return max(1, -(-characters // CHARACTERS_PER_TOKEN))


def texts_of(request: Request) -> Iterator[str]:
    """All that a model is given to read."""
    yield request.prompt or ""
    for message in request.messages:
        yield message.content
        for call in message.tool_calls:
            yield from (call.name, call.arguments)
    for tool in request.tools:
        yield from (tool.name, tool.description, tool.parameters)
    if request.response_format is not None:
        yield request.response_format.schema


def answer_tokens(request: Request) -> int:
    """The length that an answer is expected to have: all that the request allows."""
    return request.max_tokens or USUAL_ANSWER
