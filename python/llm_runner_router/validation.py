"""The limits of a request's fields, checked before anything is done for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Sized
from typing import Protocol, TypeGuard

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Message, Request, Role

MAX_TEXT = 16_000_000
MAX_MESSAGES = 10_000
MAX_CONTEXT = 16_777_216
MAX_STOP_STRINGS = 16
MAX_STOP_CHARACTERS = 256
MAX_LOGPROBS = 20
MAX_LOGIT_BIAS = 1024
MAX_METADATA_ENTRIES = 64
MAX_METADATA_KEY = 128
MAX_METADATA_VALUE = 1024
MAX_MODEL_ID = 128
MAX_BATCH = 1024
UINT32 = 2**32 - 1


class Sampling(Protocol):
    """The sampling fields that requests and the defaults of models share."""

    @property
    def max_tokens(self) -> int | None:
        """See Request."""
        ...

    @property
    def temperature(self) -> float | None:
        """See Request."""
        ...

    @property
    def top_p(self) -> float | None:
        """See Request."""
        ...

    @property
    def top_k(self) -> int | None:
        """See Request."""
        ...

    @property
    def min_p(self) -> float | None:
        """See Request."""
        ...

    @property
    def repeat_penalty(self) -> float | None:
        """See Request."""
        ...


def validate_request(request: Request) -> None:
    """InvalidRequestError names the first field that is wrong, its value and what is allowed."""
    check_input(request)
    check_flag("raw", request.raw)
    check_flag("ignore_eos", request.ignore_eos)
    check_model(request.model)
    check_sampling(request)
    check_number("frequency_penalty", request.frequency_penalty, -2, 2)
    check_number("presence_penalty", request.presence_penalty, -2, 2)
    check_count("seed", request.seed, 0, UINT32)
    check_count("logprobs", request.logprobs, 0, MAX_LOGPROBS)
    check_count("prompt_logprobs", request.prompt_logprobs, 0, MAX_LOGPROBS)
    check_stop(request.stop)
    check_logit_bias(request.logit_bias)
    check_metadata(request.metadata)


def validate_batch(requests: Sized) -> None:
    """A batch holds at least one request, and not too many; each is checked when it runs."""
    if not 1 <= len(requests) <= MAX_BATCH:
        raise InvalidRequestError("requests", len(requests), f"1 to {MAX_BATCH} requests")


def check_input(request: Request) -> None:
    """Exactly one of prompt and messages; raw only with a prompt."""
    if request.prompt is not None:
        if request.messages:
            raise InvalidRequestError("messages", len(request.messages), "none beside a prompt")
        check_text("prompt", request.prompt, MAX_TEXT)
    elif request.raw:
        raise InvalidRequestError("raw", request.raw, "true only with a prompt")
    elif not request.messages:
        raise InvalidRequestError("prompt", None, "exactly one of prompt and messages")
    else:
        check_messages("messages", request.messages)


def check_messages(field: str, messages: Sequence[Message]) -> None:
    """Messages with known roles, of sane length together."""
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise InvalidRequestError(field, len(messages), f"1 to {MAX_MESSAGES} messages")
    for index, message in enumerate(messages):
        check_role(f"{field}[{index}].role", message.role)
        check_text(f"{field}[{index}].content", message.content, MAX_TEXT, empty=True)
    characters = sum(len(message.content) for message in messages)
    if characters > MAX_TEXT:
        allowed = f"at most {MAX_TEXT} characters in all messages together"
        raise InvalidRequestError(field, characters, allowed)


def check_role(field: str, role: object) -> None:
    """A known role."""
    if not isinstance(role, Role):
        raise InvalidRequestError(field, role, f"one of {', '.join(Role)}")


def check_model(model: object) -> None:
    """A model's id, where one is named."""
    if model is not None:
        check_text("model", model, MAX_MODEL_ID)


def check_sampling(values: Sampling, prefix: str = "") -> None:
    """The ranges of what requests and the defaults of models share."""
    check_count(f"{prefix}max_tokens", values.max_tokens, 1, MAX_CONTEXT)
    check_number(f"{prefix}temperature", values.temperature, 0, 2)
    check_positive(f"{prefix}top_p", values.top_p, 1)
    check_count(f"{prefix}top_k", values.top_k, 0, UINT32)
    check_number(f"{prefix}min_p", values.min_p, 0, 1)
    check_positive(f"{prefix}repeat_penalty", values.repeat_penalty, 2)


def check_stop(stop: Sequence[str], field: str = "stop") -> None:
    """Few, short, non-empty strings."""
    allowed = f"a list of at most {MAX_STOP_STRINGS} strings"
    check_kind(field, stop, Sequence, allowed)
    if len(stop) > MAX_STOP_STRINGS:
        raise InvalidRequestError(field, stop, allowed)
    for index, text in enumerate(stop):
        check_text(f"{field}[{index}]", text, MAX_STOP_CHARACTERS)


def check_logit_bias(biases: Mapping[int, float]) -> None:
    """A number for each of a few token ids; the model checks them against its vocabulary."""
    check_kind("logit_bias", biases, Mapping, "a number for each of some token ids")
    if len(biases) > MAX_LOGIT_BIAS:
        raise InvalidRequestError("logit_bias", len(biases), f"at most {MAX_LOGIT_BIAS} entries")
    for token, bias in biases.items():
        check_count("logit_bias key", token, 0, UINT32)
        check_number(f"logit_bias[{token}]", bias, -100, 100)


def check_metadata(metadata: Mapping[str, str]) -> None:
    """Few, short entries of text."""
    check_kind("metadata", metadata, Mapping, "texts by name")
    if len(metadata) > MAX_METADATA_ENTRIES:
        allowed = f"at most {MAX_METADATA_ENTRIES} entries"
        raise InvalidRequestError("metadata", len(metadata), allowed)
    for key, value in metadata.items():
        check_text("metadata key", key, MAX_METADATA_KEY)
        check_text(f"metadata[{key!r}]", value, MAX_METADATA_VALUE, empty=True)


def check_token_ids(token_ids: Sequence[int]) -> None:
    """Token ids to be turned into text; the model checks them against its vocabulary."""
    check_kind("token_ids", token_ids, Sequence, "a list of token ids")
    if len(token_ids) > MAX_CONTEXT:
        raise InvalidRequestError("token_ids", len(token_ids), f"at most {MAX_CONTEXT} token ids")
    for index, token in enumerate(token_ids):
        check_count(f"token_ids[{index}]", token, 0, UINT32)


def check_kind(field: str, value: object, kind: type, allowed: str) -> None:
    """A list or a mapping; text is neither."""
    if not isinstance(value, kind) or isinstance(value, str):
        raise InvalidRequestError(field, value, allowed)


def check_flag(field: str, value: object) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidRequestError(field, value, "true or false")


def check_text(field: str, value: object, most: int, *, empty: bool = False) -> None:
    """Text of bounded length that UTF-8 can express."""
    least = 0 if empty else 1
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise InvalidRequestError(field, value, f"text of {least} to {most} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidRequestError(field, value, "text without lone surrogates") from None


def check_number(field: str, value: object, least: float, most: float) -> None:
    """A number in a closed range, or nothing."""
    if value is not None and not (is_number(value) and least <= value <= most):
        raise InvalidRequestError(field, value, f"a number from {least:g} to {most:g}")


def check_positive(field: str, value: object, most: float) -> None:
    """A number above 0, or nothing."""
    if value is not None and not (is_number(value) and 0 < value <= most):
        raise InvalidRequestError(field, value, f"a number above 0 and at most {most:g}")


def check_count(field: str, value: object, least: int, most: int) -> None:
    """A whole number in a closed range, or nothing."""
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise InvalidRequestError(field, value, f"a whole number from {least} to {most}")


def is_number(value: object) -> TypeGuard[float]:
    """A finite number; bool is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)
