"""The session behind Converse: many requests on one stream, in both directions."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from llm_runner_router.backend import CallContext
from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Credits,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.credit import CreditAccount
from llm_runner_router.errors import (
    AlreadyExistsError,
    EngineError,
    InvalidRequestError,
    OverloadedError,
    RequestNotFoundError,
    RouterError,
    shorten,
)
from llm_runner_router.folding import folded_calls
from llm_runner_router.passage import Passage
from llm_runner_router.pipeline import Pipeline
from llm_runner_router.types import (
    Chunk,
    Complete,
    Event,
    FinishReason,
    Message,
    Request,
    Role,
    Started,
)
from llm_runner_router.validation.request import check_messages

MAX_REQUEST_ID = 128

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one stream may take.

    ``running`` requests at once; ``finished`` ones that can be appended to (the oldest is
    forgotten first); ``outgoing`` events that wait for the reader before requests pause.
    """

    running: int = 128
    finished: int = 32
    outgoing: int = 16


@dataclass(slots=True)
class Turn:
    """One answer of a conversation while it runs."""

    passage: Passage
    answer: asyncio.Task[Complete]
    said: list[Chunk]


@dataclass(slots=True)
class Conversation:
    """A request id of the stream: what is asked next, its credits, and the KV that is kept.

    ``expanded`` is what the next turn goes on from: the text of the template, and the answer.
    """

    request_id: str
    request: Request
    expanded: Request
    credit: CreditAccount
    turn: Turn | None = None
    held: Passage | None = None


class Session:
    """One stream. Belongs to one event loop; ``events`` is iterated once, and closed."""

    def __init__(
        self, pipeline: Pipeline, context: CallContext, limits: SessionLimits | None = None
    ) -> None:
        self._pipeline = pipeline
        self._context = context
        self._limits = limits or SessionLimits()
        self._running: dict[str, Conversation] = {}
        self._finished: OrderedDict[str, Conversation] = OrderedDict()
        self._early_credits: OrderedDict[str, CreditAccount] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._outgoing: asyncio.Queue[SessionEvent | None] = asyncio.Queue(self._limits.outgoing)
        self._closing = False

    async def events(
        self, messages: AsyncIterator[SessionMessage]
    ) -> AsyncGenerator[SessionEvent, None]:
        """The events of all requests, as they come; closing it cancels everything.

        Ends when ``messages`` has ended and what ran is finished. An error of ``messages`` ends
        the session and is raised.
        """
        serving = asyncio.ensure_future(self._serve(messages))
        try:
            while (event := await self._outgoing.get()) is not None:
                yield event
            await serving
        finally:
            await self._end(serving)

    async def _serve(self, messages: AsyncIterator[SessionMessage]) -> None:
        """Take every message, wait for what runs, then end the events."""
        try:
            async for message in messages:
                try:
                    self._handle(message)
                except RouterError as error:
                    await self._send(message.request_id, Failure(error))
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            if not self._closing:
                await self._outgoing.put(None)

    async def _end(self, serving: asyncio.Task[None]) -> None:
        """Cancel all that is left, and let go of what was kept."""
        self._closing = True
        answers = [c.turn.answer for c in self._running.values() if c.turn is not None]
        tasks = [serving, *self._tasks, *answers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for conversation in (*self._running.values(), *self._finished.values()):
            self._let_go(conversation.held)
            self._let_go(conversation.turn.passage if conversation.turn else None)

    async def _send(self, request_id: str, event: Event | Failure) -> None:
        await self._outgoing.put(SessionEvent(request_id, event))

    def _handle(self, message: SessionMessage) -> None:
        match message:
            case Start():
                self._start(message)
            case Append():
                self._append(message)
            case Cancel():
                self._cancel(message)
            case Credits():
                self._account(message.request_id).grant(message.chunks)

    def _start(self, message: Start) -> None:
        name = message.request_id
        check_id(name)
        if name in self._running:
            raise AlreadyExistsError(f"request {shorten(name)} runs on this stream already")
        self._check_room()
        request = message.request
        expanded = request if request.template is None else self._pipeline.prepared(request)
        earlier = self._finished.pop(name, None)
        if earlier is not None:
            self._let_go(earlier.held)
        credit = self._early_credits.pop(name, None) or CreditAccount()
        self._begin(Conversation(name, request, expanded, credit))

    def _append(self, message: Append) -> None:
        conversation = self._known(message.request_id)
        if conversation.turn is not None:
            raise InvalidRequestError("request_id", message.request_id, "a request that has ended")
        if conversation.request.raw:
            allowed = "a request without raw"
            raise InvalidRequestError("request_id", message.request_id, allowed)
        self._check_room()
        check_messages("messages", message.messages)
        request = extended(conversation.expanded, message.messages)
        check_messages("messages", request.messages)
        conversation.request = conversation.expanded = request
        del self._finished[message.request_id]
        self._begin(conversation)

    def _cancel(self, message: Cancel) -> None:
        turn = self._known(message.request_id).turn
        if turn is not None:
            turn.answer.cancel()

    def _known(self, request_id: str) -> Conversation:
        found = self._running.get(request_id) or self._finished.get(request_id)
        if found is None:
            raise RequestNotFoundError(request_id)
        return found

    def _account(self, request_id: str) -> CreditAccount:
        """Where the credits of a request are counted, also before it starts."""
        check_id(request_id)
        found = self._running.get(request_id) or self._finished.get(request_id)
        if found is not None:
            return found.credit
        if len(self._early_credits) >= self._limits.running:
            self._early_credits.popitem(last=False)
        return self._early_credits.setdefault(request_id, CreditAccount())

    def _check_room(self) -> None:
        if len(self._tasks) >= self._limits.running:
            message = f"{self._limits.running} requests run on this stream already"
            raise OverloadedError(message, retry_after=1.0)

    def _begin(self, conversation: Conversation) -> None:
        held = conversation.held
        passage = Passage.begin(
            conversation.request,
            self._context,
            hold=True,
            prefer="" if held is None else held.tally.model,
        )
        said: list[Chunk] = []
        answer = asyncio.ensure_future(self._answer(conversation, passage, said))
        conversation.turn = turn = Turn(passage, answer, said)
        self._running[conversation.request_id] = conversation
        task = asyncio.ensure_future(self._follow(conversation, turn))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, conversation: Conversation, passage: Passage, said: list[Chunk]
    ) -> Complete:
        """Deliver everything but the end; ``said`` collects what was delivered."""
        async with aclosing(self._pipeline.run(passage)) as events:
            async for event in events:
                match event:
                    case Complete():
                        return event
                    case Started():
                        started = replace(event, request_id=conversation.request_id)
                        await self._send(conversation.request_id, started)
                    case Chunk():
                        async with self._pipeline.time_limit(self._context.deadline, "no credits"):
                            await conversation.credit.spend()
                        await self._send(conversation.request_id, event)
                        said.append(event)
        raise EngineError("the answer ended without a result")

    async def _follow(self, conversation: Conversation, turn: Turn) -> None:
        """Wait for the answer's end, make the conversation ready for the next turn, tell."""
        await asyncio.wait([turn.answer])
        end = ending(turn)
        answer = answer_of(turn.said, end)
        if answer is not None and not conversation.request.raw:
            conversation.expanded = extended(conversation.expanded, [answer])
        self._let_go(conversation.held)
        conversation.held, conversation.turn = turn.passage, None
        del self._running[conversation.request_id]
        self._finished[conversation.request_id] = conversation
        while len(self._finished) > self._limits.finished:
            self._let_go(self._finished.popitem(last=False)[1].held)
        await self._send(conversation.request_id, end)

    def _let_go(self, passage: Passage | None) -> None:
        """Release the KV that a turn has left behind."""
        if passage is not None:
            self._pipeline.release(passage.tally.model, passage.request_id)


def check_id(request_id: str) -> None:
    """A request's name on its stream."""
    if not 0 < len(request_id) <= MAX_REQUEST_ID:
        raise InvalidRequestError("request_id", request_id, f"1 to {MAX_REQUEST_ID} characters")


def ending(turn: Turn) -> Complete | Failure:
    """How an answer's task that is done has ended."""
    if turn.answer.cancelled():
        tally = turn.passage.tally
        attempts = tuple(tally.attempts)
        return Complete(FinishReason.CANCELLED, tally.model, tally.metrics(), attempts)
    error = turn.answer.exception()
    if error is None:
        return turn.answer.result()
    if isinstance(error, RouterError):
        return Failure(error)
    logger.error("request %s failed unexpectedly", turn.passage.request_id, exc_info=error)
    return Failure(EngineError("the request failed unexpectedly"))


def answer_of(said: Sequence[Chunk], end: Complete | Failure) -> Message | None:
    """The turn of the model as the conversation remembers it, where there was any.

    Calls of tools that were cut off are left out: nobody can answer half a call.
    """
    text = "".join(chunk.text for chunk in said)
    if not isinstance(end, Complete):
        return Message(Role.ASSISTANT, text) if text else None
    whole = end.finish_reason is not FinishReason.CANCELLED
    deltas = (delta for chunk in said for delta in chunk.tool_calls)
    return Message(Role.ASSISTANT, text, folded_calls(deltas) if whole else ())


def extended(request: Request, messages: Sequence[Message]) -> Request:
    """The same wishes for a conversation that goes on with ``messages``."""
    so_far = request.messages
    if request.prompt is not None:
        so_far = (Message(Role.USER, request.prompt),)
    return replace(request, prompt=None, messages=(*so_far, *messages))
