"""Our engine as a contender: driven as the local provider drives it, through its descriptor."""

from __future__ import annotations

import selectors
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.work import MOST_STREAMS
from llm_runner_router import _core

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

HANGING_SECONDS = 120.0


class OwnEngine:
    """Not thread-safe: one answer at a time."""

    def __init__(self, engine: _core.Engine) -> None:
        self._engine = engine
        self._selector = selectors.DefaultSelector()
        self._selector.register(engine.fd, selectors.EVENT_READ)

    def answer(self, prompts: Sequence[Sequence[int]], tokens: int) -> None:
        """See Contender. RuntimeError where an answer is not what was asked for."""
        running = {
            self._engine.submit(
                _core.Submission(tokens=prompt, max_tokens=tokens, temperature=0.0, ignore_eos=True)
            )
            for prompt in prompts
        }
        while running:
            if not self._selector.select(HANGING_SECONDS):
                raise RuntimeError(f"no event for {HANGING_SECONDS:.0f} s")
            for event in self._engine.drain():
                self._engine.acknowledge(event.id, 1)
                if event.finish_reason:
                    check(event, tokens)
                    running.remove(event.id)

    def processor_seconds(self) -> float:
        """See Contender. This process's: what drives the engine counts, as a server's would."""
        return time.process_time()


def check(event: _core.Event, tokens: int) -> None:
    """RuntimeError unless an answer of so many tokens ended with this event."""
    if event.finish_reason != "length" or event.completion_tokens != tokens:
        raise RuntimeError(
            f"the engine ended with {event.finish_reason!r} after {event.completion_tokens} of "
            f"{tokens} tokens: {event.error_message}"
        )


@contextmanager
def running(model: Path, threads: int, context: int) -> Iterator[OwnEngine]:
    """The engine, closed at the end. What is not set here is its default."""
    config = _core.EngineConfig(
        model_path=str(model), threads=threads, max_sequences=MOST_STREAMS, context_length=context
    )
    metadata = _core.GgufFile(str(model)).metadata
    names = metadata["tokenizer.ggml.tokens"]
    assert isinstance(names, list)
    engine = _core.Engine(config, [str(name).encode() for name in names], [])
    try:
        yield OwnEngine(engine)
    finally:
        engine.close()
