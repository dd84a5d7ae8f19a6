"""How many tokens a text has, where no tokenizer is at hand: about four characters each."""

from __future__ import annotations

from llm_runner_router.types import Request

CHARACTERS_PER_TOKEN = 4


def text_tokens(text: str) -> int:
    """An estimate; only an empty text has none."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def prompt_tokens(request: Request) -> int:
    """An estimate of the prompt's length, at least 1."""
    if request.prompt is not None:
        return max(1, text_tokens(request.prompt))
    characters = sum(len(message.content) for message in request.messages)
    return max(1, -(-characters // CHARACTERS_PER_TOKEN))
