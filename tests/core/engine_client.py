"""Waits on an engine's descriptor and keeps what comes out, by request."""

from __future__ import annotations

import selectors
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from llm_runner_router import _core

SECONDS = 60.0  # after which a test has hung


class Client:
    """Event-driven: sleeps in the selector only, so that a lost wake-up is a hang."""

    def __init__(self, engine: _core.Engine) -> None:
        self.engine = engine
        self.selector = selectors.DefaultSelector()
        self.selector.register(engine.fd, selectors.EVENT_READ)
        self.events: defaultdict[int, list[_core.Event]] = defaultdict(list)
        self.acknowledging = True

    def submit(self, tokens: list[int], **more: Any) -> int:
        return self.engine.submit(_core.Submission(tokens=tokens, **more))

    def take(self) -> list[_core.Event]:
        """Wait for events; each is acknowledged unless told otherwise."""
        assert self.selector.select(SECONDS), "no event: a wake-up was lost, or the engine hangs"
        events = self.engine.drain()
        for event in events:
            assert not self.finished(event.id), "an event after the last one"
            self.events[event.id].append(event)
            if self.acknowledging:
                self.engine.acknowledge(event.id, 1)
        return events

    def finished(self, *ids: int) -> bool:
        return all(self.events[i] and self.events[i][-1].finish_reason for i in ids)

    def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.take()

    def finish(self, *ids: int) -> None:
        self.until(lambda: self.finished(*ids))

    def last(self, sequence: int) -> _core.Event:
        return self.events[sequence][-1]

    def text(self, sequence: int) -> str:
        return "".join(event.text for event in self.events[sequence])

    def tokens(self, sequence: int) -> list[int]:
        return [token for event in self.events[sequence] for token in event.token_ids]

    def logprobs(self, sequence: int) -> list[tuple[int, float, list[tuple[int, float]]]]:
        return [
            (logprob.token_id, logprob.logprob, logprob.top)
            for event in self.events[sequence]
            for logprob in event.logprobs
        ]

    def answer(self, sequence: int) -> tuple[object, ...]:
        """Everything about an answer that must not depend on what else runs."""
        return (
            self.tokens(sequence),
            self.logprobs(sequence),
            self.text(sequence),
            self.last(sequence).finish_reason,
        )

    def ask(self, tokens: list[int], **more: Any) -> int:
        sequence = self.submit(tokens, **more)
        self.finish(sequence)
        return sequence


@contextmanager
def client_of(engine: _core.Engine) -> Iterator[Client]:
    try:
        yield Client(engine)
    finally:
        engine.close()
