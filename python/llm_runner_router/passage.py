"""One request on its way through the pipeline."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import RouterError
from llm_runner_router.providers.base import Call
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.sampling_defaults import with_defaults
from llm_runner_router.tally import Tally
from llm_runner_router.types import Request

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Passage:
    """One request on its way: who asks, its unique id, and its account.

    ``prefer`` is the model that answered the turn before, where there was one.
    """

    request: Request
    context: CallContext
    request_id: str
    tally: Tally
    hold: bool
    prefer: str = ""

    @classmethod
    def begin(
        cls, request: Request, context: CallContext, *, hold: bool = False, prefer: str = ""
    ) -> Passage:
        """A request that sets off now; ``hold`` keeps its KV until ``Pipeline.release``."""
        return cls(request, context, uuid.uuid4().hex, Tally(), hold, prefer)

    def until(self, deadline: float | None) -> Passage:
        """The same on the same account, with another deadline."""
        return replace(self, context=replace(self.context, deadline=deadline))

    def call(self, request: Request, record: ModelRecord) -> Call:
        """What the provider of ``record`` is asked; ``request`` is ready to be sent."""
        context = self.context
        return Call(
            self.request_id,
            with_defaults(request, record),
            context.caller,
            context.deadline,
            self.hold,
        )


@contextmanager
def logged(passage: Passage) -> Iterator[Callable[[], None]]:
    """One line a request, when it is over; an error takes the trace of the attempts along.

    The value is to be called once the answer is whole: its consumer may leave right then.
    """
    outcome = "cancelled"

    def answered() -> None:
        nonlocal outcome
        outcome = "answered"

    try:
        yield answered
    except RouterError as error:
        outcome = error.reason
        error.attempts = tuple(passage.tally.attempts)
        raise
    finally:
        tally = passage.tally
        logger.debug(
            "request %s of %s to %s: %s, %d tokens in %.1f ms",
            passage.request_id,
            passage.context.caller,
            tally.model or "no model",
            outcome,
            tally.metrics().completion_tokens,
            tally.elapsed_ms(),
        )
