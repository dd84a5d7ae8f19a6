"""What a call gives back of each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from llm_runner_router.compat.transformers.inputs import Chat
from llm_runner_router.errors import InvalidRequestError

OUTPUT = frozenset(
    {
        *("return_full_text", "return_tensors", "return_text", "return_type", "stop_sequence"),
        *("clean_up_tokenization_spaces", "skip_special_tokens", "continue_final_message"),
        *("prefix", "batch_size", "num_workers", "handle_long_generation", "truncation"),
        *("padding", "add_special_tokens", "tokenizer_encode_kwargs", "tools", "documents"),
    }
)
"""Arguments of a call that are not of generation."""

ONLY: Mapping[str, tuple[object, ...]] = {
    "clean_up_tokenization_spaces": (None, False),
    "skip_special_tokens": (None, True),
    "continue_final_message": (None, False),
    "handle_long_generation": (None,),
    "truncation": (None, False, True),
    "padding": (None, False, True),
    "add_special_tokens": (None, True),
    "tokenizer_encode_kwargs": (None, {}),
    "tools": (None,),
    "documents": (None,),
}
"""Arguments of which only these values can be had here.

Prompts are not padded, which changes no answer, and not cut: one that is too long is refused.
"""


class ReturnType(IntEnum):
    """As in Transformers."""

    TENSORS = 0
    NEW_TEXT = 1
    FULL_TEXT = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """Tokens of the prompt, where they are wanted, and of the answer; and its text."""

    prompt_ids: tuple[int, ...]
    token_ids: tuple[int, ...]
    text: str


def return_type(values: Mapping[str, Any]) -> ReturnType:
    """What is wanted. InvalidRequestError where two arguments contradict each other."""
    tensors, full = values.get("return_tensors"), values.get("return_full_text")
    if values.get("return_type") is not None:
        return checked_type(values["return_type"])
    for name, other in (("return_full_text", "return_text"), ("return_tensors", "return_text")):
        if values.get(name) is not None and values.get(other) is not None:
            raise InvalidRequestError(name, values[name], f"only one of it and {other}")
    if full is not None and tensors is not None:
        raise InvalidRequestError("return_full_text", full, "only one of it and return_tensors")
    if tensors:
        return ReturnType.TENSORS
    return ReturnType.FULL_TEXT if full in (None, True) else ReturnType.NEW_TEXT


def checked_type(value: object) -> ReturnType:
    """One of ours, or of Transformers' own with the same numbers."""
    number: Any = getattr(value, "value", value)
    if number not in tuple(ReturnType):
        raise InvalidRequestError("return_type", value, "TENSORS, NEW_TEXT or FULL_TEXT")
    return ReturnType(number)


def check_only(values: Mapping[str, Any]) -> None:
    """InvalidRequestError names an argument whose value would have no effect."""
    for name, allowed in ONLY.items():
        if values.get(name) not in allowed:
            shown = ", ".join(map(str, allowed))
            raise InvalidRequestError(name, values[name], shown)


def record(prompt: str | Chat, answer: Answer, wanted: ReturnType) -> dict[str, Any]:
    """One answer as Transformers gives it."""
    if wanted is ReturnType.TENSORS:
        return {"generated_token_ids": [*answer.prompt_ids, *answer.token_ids]}
    if wanted is ReturnType.NEW_TEXT:
        return {"generated_text": answer.text}
    if isinstance(prompt, str):
        return {"generated_text": prompt + answer.text}
    answered = {"role": "assistant", "content": answer.text}
    return {"generated_text": [*map(dict, prompt.messages), answered]}
