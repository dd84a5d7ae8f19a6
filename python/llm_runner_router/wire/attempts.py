"""The attempts of a request: as messages with an answer, as one line of text with an error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_runner_router.decision import Attempt
from llm_runner_router.v1 import types_pb2
from llm_runner_router.wire.text import MAX_MESSAGE, clean

ATTEMPTS = "attempts"
"""The name among an error's details."""


def attempt_to_wire(attempt: Attempt) -> types_pb2.Attempt:
    """One try of one model."""
    return types_pb2.Attempt(
        model=attempt.model,
        provider=attempt.provider,
        outcome=attempt.outcome,
        message=clean(attempt.message),
        started_ms=attempt.started_ms,
        duration_ms=attempt.duration_ms,
        cost_usd=attempt.cost_usd,
        hedged=attempt.hedged,
    )


def attempts_from_wire(messages: Iterable[types_pb2.Attempt]) -> tuple[Attempt, ...]:
    """Tries in their order."""
    return tuple(
        Attempt(
            model=message.model,
            provider=message.provider,
            outcome=message.outcome,
            message=message.message,
            started_ms=message.started_ms,
            duration_ms=message.duration_ms,
            cost_usd=message.cost_usd,
            hedged=message.hedged,
        )
        for message in messages
    )


def attempts_to_text(attempts: Sequence[Attempt]) -> str:
    """``model:REASON, model:REASON``; as many of them, from the first, as fit a header."""
    text = ""
    for attempt in attempts:
        model = attempt.model.replace("%", "%25").replace(",", "%2C")
        longer = f"{text}{', ' if text else ''}{model}:{attempt.outcome}"
        if len(longer) > MAX_MESSAGE:
            break
        text = longer
    return text


def attempts_from_text(text: str) -> tuple[Attempt, ...]:
    """Model and outcome of each attempt, as a peer tells them."""
    found = []
    for part in filter(None, text.split(", ")):
        model, _, outcome = part.rpartition(":")
        found.append(Attempt(model.replace("%2C", ",").replace("%25", "%"), "", outcome))
    return tuple(found)
