"""What a provider says with an HTTP status, and the error that it means."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.errors import (
    ContextLengthError,
    InvalidRequestError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
)
from llm_runner_router.providers.retry_after import retry_after

UNKNOWN_WAIT = 1.0
"""Seconds to wait after a rate limit that says nothing of its end."""

MAX_MESSAGE = 300
BUSY = frozenset((408, 409, 425))
WRONG_REQUEST = frozenset((400, 413, 422))
OUT_OF_MONEY = frozenset(("insufficient_quota", "billing_hard_limit_reached"))
CONTEXT_CODES = frozenset(("context_length_exceeded", "exceed_context_size_error"))
CONTEXT_WORDS = re.compile(r"maximum context length|prompt is too long|context size", re.IGNORECASE)
CONTEXT_LIMIT = (
    re.compile(r"maximum context length (?:is|of) (\d{1,9})"),
    re.compile(r"context size \(?(\d{1,9})"),
    re.compile(r"tokens > (\d{1,9})"),
)
PROMPT_LENGTH = (
    re.compile(r"(\d{1,9}) in the messages"),
    re.compile(r"(?:resulted in|requested|contains) (\d{1,9})"),
    re.compile(r"(\d{1,9}) tokens >"),
    re.compile(r"request \((\d{1,9}) tokens"),
)
"""In the words of OpenAI, vLLM, Anthropic and llama.cpp's server; the first that fits counts."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """A refusal: its status, the message for people, the API's own code, the seconds to wait."""

    status: int
    message: str
    code: str = ""
    wait: float | None = None

    @classmethod
    def read(
        cls, status: int, headers: Mapping[str, str], body: str, key: str | None = None
    ) -> Rejection:
        """Out of an HTTP answer; the headers' names in lower case. ``key`` is struck out."""
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            content = body
        return cls.told(status, content, key, wait=retry_after(headers, time.time()))

    @classmethod
    def told(
        cls, status: int, content: object, key: str | None = None, *, wait: float | None = None
    ) -> Rejection:
        """Out of what the provider says: an object with an error, or a text."""
        message, code = message_of(content)
        if key:
            message, code = message.replace(key, "…"), code.replace(key, "…")
        return cls(status, one_line(message), code, wait)

    def error(self, provider: str) -> RouterError:
        """The error that it means; it names the provider, and what it says."""
        said = f"{provider} answered {self.status}: {self.message or 'nothing'}"
        if self.code in OUT_OF_MONEY:
            return ProviderRejectedError(said)
        if self.status == 429:
            return RateLimitError(
                said, retry_after=UNKNOWN_WAIT if self.wait is None else self.wait
            )
        if self.status in WRONG_REQUEST:
            return self._wrong_request(provider)
        if 400 <= self.status < 500 and self.status not in BUSY:
            return ProviderRejectedError(said)
        return ProviderFailedError(said)

    def _wrong_request(self, provider: str) -> RouterError:
        takes = f"what {provider} takes; it says: {self.message or 'nothing'}"
        if self.code not in CONTEXT_CODES and CONTEXT_WORDS.search(self.message) is None:
            return InvalidRequestError("request", self.code or self.status, takes)
        limit, length = number(CONTEXT_LIMIT, self.message), number(PROMPT_LENGTH, self.message)
        if limit is None or length is None:
            return InvalidRequestError("prompt", "a longer one", takes)
        return ContextLengthError(length, limit)


def message_of(content: object) -> tuple[str, str]:
    """The message and the code, in the shapes that providers use."""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, Mapping):
        return "", ""
    inner = content.get("error")
    if isinstance(inner, Mapping):
        content = inner
    elif isinstance(inner, str):
        return inner, word(content.get("error_type"))
    message = first_text(content, ("message", "detail"))
    code = word(content.get("code")) or word(content.get("type"))
    return message, code


def first_text(content: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of the named fields that says something."""
    for name in names:
        value = content.get(name)
        if value:
            return value if isinstance(value, str) else json.dumps(value, default=str)
    return ""


def word(value: object) -> str:
    """A code, where it is one."""
    return value if isinstance(value, str) and len(value) <= 80 else ""


def one_line(text: str) -> str:
    """Short, and without what could break a line of a log."""
    line = " ".join(text[: 4 * MAX_MESSAGE].split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= MAX_MESSAGE else f"{line[: MAX_MESSAGE - 1]}…"


def number(patterns: Sequence[re.Pattern[str]], text: str) -> int | None:
    """The number that the first of ``patterns`` finds."""
    for pattern in patterns:
        found = pattern.search(text)
        if found is not None:
            return int(found[1])
    return None
