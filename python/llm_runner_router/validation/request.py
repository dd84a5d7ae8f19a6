"""The limits of a request's fields, checked before anything is done for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from typing import Protocol

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Message, Request, Role
from llm_runner_router.validation.json_text import check_json_object
from llm_runner_router.validation.routing import (
    check_cache,
    check_priority,
    check_routing,
    check_template_use,
)
from llm_runner_router.validation.tools import (
    check_response_format,
    check_tool_calls,
    check_tool_choice,
    check_tools,
)
from llm_runner_router.validation.values import (
    MAX_MODEL_ID,
    MAX_TEXT,
    UINT32,
    check_count,
    check_flag,
    check_kind,
    check_number,
    check_positive,
    check_text,
    check_texts,
    check_word,
    is_number,
)

__all__ = [
    "MAX_CONTEXT",
    "MAX_MODEL_ID",
    "MAX_TEXT",
    "check_count",
    "check_kind",
    "check_messages",
    "check_metadata",
    "check_model",
    "check_number",
    "check_sampling",
    "check_stop",
    "check_text",
    "check_token_ids",
    "is_number",
    "validate_batch",
    "validate_request",
]

MAX_MESSAGES = 10_000
MAX_CONTEXT = 16_777_216
MAX_STOP_STRINGS = 16
MAX_STOP_CHARACTERS = 256
MAX_LOGPROBS = 20
MAX_LOGIT_BIAS = 1024
MAX_METADATA_ENTRIES = 64
MAX_METADATA_VALUE = 1024
MAX_TOOL_CALL_ID = 256
MAX_BATCH = 1024


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

    @property
    def frequency_penalty(self) -> float | None:
        """See Request."""
        ...

    @property
    def presence_penalty(self) -> float | None:
        """See Request."""
        ...

    @property
    def seed(self) -> int | None:
        """See Request."""
        ...


def validate_request(request: Request) -> None:
    """InvalidRequestError names the first field that is wrong, its value and what is allowed."""
    check_input(request)
    check_flag("raw", request.raw)
    check_flag("ignore_eos", request.ignore_eos)
    check_model(request.model)
    check_sampling(request)
    check_count("logprobs", request.logprobs, 0, MAX_LOGPROBS)
    check_count("prompt_logprobs", request.prompt_logprobs, 0, MAX_LOGPROBS)
    check_stop(request.stop)
    check_logit_bias(request.logit_bias)
    check_metadata(request.metadata)
    check_wishes(request)


def check_wishes(request: Request) -> None:
    """What a request wishes beyond sampling."""
    check_tools(request.tools)
    check_tool_choice(request.tool_choice, request.tools)
    check_response_format(request.response_format)
    check_json_object("provider_options", request.provider_options)
    check_routing(request.routing)
    check_cache(request.cache)
    check_priority(request.priority)


def validate_batch(requests: Sized) -> None:
    """A batch holds at least one request, and not too many; each is checked when it runs."""
    if not 1 <= len(requests) <= MAX_BATCH:
        raise InvalidRequestError("requests", len(requests), f"1 to {MAX_BATCH} requests")


def check_input(request: Request) -> None:
    """Exactly one of prompt, messages and template; raw only with a prompt."""
    if request.prompt is not None:
        if request.messages:
            raise InvalidRequestError("messages", len(request.messages), "none beside a prompt")
        check_text("prompt", request.prompt, MAX_TEXT)
    elif request.raw:
        raise InvalidRequestError("raw", request.raw, "true only with a prompt")
    elif request.messages:
        check_messages("messages", request.messages)
    elif request.template is None:
        allowed = "exactly one of prompt, messages and template"
        raise InvalidRequestError("prompt", None, allowed)
    if request.template is not None:
        check_alone(request)
        check_template_use(request.template)


def check_alone(request: Request) -> None:
    """A template makes the prompt: there is no other."""
    if request.prompt is not None or request.messages:
        allowed = "none beside a prompt or messages"
        raise InvalidRequestError("template", request.template, allowed)


def check_messages(field: str, messages: Sequence[Message]) -> None:
    """Messages with known roles, of sane length together."""
    check_kind(field, messages, Sequence, "a list of messages")
    if not 1 <= len(messages) <= MAX_MESSAGES:
        raise InvalidRequestError(field, len(messages), f"1 to {MAX_MESSAGES} messages")
    for index, message in enumerate(messages):
        check_message(f"{field}[{index}]", message)
    characters = sum(map(length, messages))
    if characters > MAX_TEXT:
        allowed = f"at most {MAX_TEXT} characters in all messages together"
        raise InvalidRequestError(field, characters, allowed)


def check_message(field: str, message: object) -> None:
    """One message: calls belong to the assistant, the id of a call to its result."""
    if not isinstance(message, Message):
        raise InvalidRequestError(field, message, "a message")
    check_word(f"{field}.role", message.role, Role)
    check_text(f"{field}.content", message.content, MAX_TEXT, empty=True)
    if message.tool_calls and message.role is not Role.ASSISTANT:
        allowed = "none but in messages of the assistant"
        raise InvalidRequestError(f"{field}.tool_calls", len(message.tool_calls), allowed)
    check_tool_calls(f"{field}.tool_calls", message.tool_calls)
    if message.role is Role.TOOL:
        check_text(f"{field}.tool_call_id", message.tool_call_id, MAX_TOOL_CALL_ID)
    elif message.tool_call_id != "":
        allowed = "empty but in messages of a tool"
        raise InvalidRequestError(f"{field}.tool_call_id", message.tool_call_id, allowed)


def length(message: Message) -> int:
    """The characters of a message, those of its calls among them."""
    return len(message.content) + sum(len(call.arguments) for call in message.tool_calls)


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
    check_number(f"{prefix}frequency_penalty", values.frequency_penalty, -2, 2)
    check_number(f"{prefix}presence_penalty", values.presence_penalty, -2, 2)
    check_count(f"{prefix}seed", values.seed, 0, UINT32)


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
    check_texts("metadata", metadata, MAX_METADATA_ENTRIES, MAX_METADATA_VALUE)


def check_token_ids(token_ids: Sequence[int]) -> None:
    """Token ids to be turned into text; the model checks them against its vocabulary."""
    check_kind("token_ids", token_ids, Sequence, "a list of token ids")
    if len(token_ids) > MAX_CONTEXT:
        raise InvalidRequestError("token_ids", len(token_ids), f"at most {MAX_CONTEXT} token ids")
    for index, token in enumerate(token_ids):
        check_count(f"token_ids[{index}]", token, 0, UINT32)
