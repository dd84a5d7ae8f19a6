"""What goes in and out of a bidirectional session, without protobuf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llm_runner_router.errors import RouterError
from llm_runner_router.types import Event, Message, Request


@dataclass(frozen=True, slots=True)
class Start:
    """Begin a request under an id that the caller chooses, unique on its stream."""

    request_id: str
    request: Request


@dataclass(frozen=True, slots=True)
class Append:
    """Add messages to a finished request's conversation and start its next turn."""

    request_id: str
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Cancel:
    """End a request at once. Idempotent."""

    request_id: str


@dataclass(frozen=True, slots=True)
class Credits:
    """Allow ``chunks`` more chunks. The first grant switches the request to counted delivery."""

    request_id: str
    chunks: int


SessionMessage = Start | Append | Cancel | Credits


@dataclass(frozen=True, slots=True)
class Failure:
    """One request of the session failed; the session goes on."""

    error: RouterError


@dataclass(frozen=True, slots=True)
class SessionEvent:
    """An event of one request of the session."""

    request_id: str
    event: Event | Failure
