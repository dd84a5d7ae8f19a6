"""What a call may be given: a text, a chat, a list of either, or a generator."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import GeneratorType
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Message, Role

ALLOWED = "a text, a chat (messages with role and content), a list of either, or a generator"


@dataclass(frozen=True, slots=True)
class Chat:
    """Messages as the caller has written them."""

    messages: Sequence[Any]

    def as_messages(self) -> tuple[Message, ...]:
        """As the router takes them. InvalidRequestError names the message that it does not take.

        A message that the assistant has begun is not gone on with: the router has no such thing.
        """
        last = self.messages[-1]
        if is_message(last) and last["role"] == Role.ASSISTANT:
            allowed = "a chat whose last message is not the assistant's"
            raise InvalidRequestError("continue_final_message", last["content"], allowed)
        return tuple(message_of(f"messages[{i}]", m) for i, m in enumerate(self.messages))


Prompt = str | Chat


@dataclass(frozen=True, slots=True)
class Inputs:
    """``prompts``, and whether one alone was given, a list, or an iterator to go through."""

    prompts: Iterable[Prompt]
    single: bool = False
    lazy: bool = False


def inputs_of(value: object) -> Inputs:
    """What was given, told apart as Transformers does it."""
    match value:
        case str():
            return Inputs([value], single=True)
        case GeneratorType():
            return of_generator(value)
        case [first, *_] if is_message(first):
            return Inputs([Chat(value)], single=True)
        case list():
            return Inputs([prompt_of(item) for item in value])
        case _:
            raise InvalidRequestError("text_inputs", value, ALLOWED)


def of_generator(values: Iterator[Any]) -> Inputs:
    """A chat whose messages come one by one, or prompts that are answered as they are asked for."""
    first = next(values, None)
    if is_message(first):
        return Inputs([Chat([first, *values])], single=True)
    rest = values if first is None else chain([first], values)
    return Inputs((prompt_of(item) for item in rest), lazy=True)


def prompt_of(value: object) -> Prompt:
    """A text or a chat."""
    match value:
        case str():
            return value
        case [first, *_] if is_message(first):
            return Chat(value)
        case _:
            raise InvalidRequestError("text_inputs", value, ALLOWED)


def is_message(value: object) -> bool:
    """Whether it is one turn of a chat."""
    return isinstance(value, dict) and "role" in value and "content" in value


def message_of(where: str, value: object) -> Message:
    """One turn: of text, by somebody who may speak."""
    match value:
        case {"role": str(role), "content": str(text)} if role in frozenset(Role):
            return Message(Role(role), text)
        case _:
            allowed = f"a role ({', '.join(Role)}) and a content of text"
            raise InvalidRequestError(where, value, allowed)
