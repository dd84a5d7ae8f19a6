# ruff: noqa: PLC0415 - `llm-router --help` should not wait for gRPC and the engine
"""``llm-router chat``: a conversation on the terminal."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from llm_runner_router.backend import Backend
from llm_runner_router.cli.options import CONNECT_SECONDS, DEFAULT_TARGET, Target
from llm_runner_router.cli.output import errors, out, printable, say
from llm_runner_router.cli.running import reported
from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.errors import UnavailableError
from llm_runner_router.types import Chunk, Complete, FinishReason, Message, Request, Role

TALK = "talk"
GOODBYE = frozenset({"/exit", "/quit"})


def chat(
    model: Annotated[
        str | None, typer.Argument(help="The id of the model.", show_default="the service's choice")
    ] = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Talk to a model. Ctrl-C ends an answer; Ctrl-D or /exit ends the conversation."""
    with reported(), asyncio.Runner() as runner:
        talk = runner.run(opened(target, model))
        try:
            # The loop rests while the user types, so that Ctrl-C reaches the prompt.
            while (line := read_line()) is not None:
                if line.strip():
                    runner.run(talk.turn(line))
        finally:
            runner.run(talk.close())


async def opened(target: str, model: str | None) -> Conversation:
    """A conversation with the service at ``target``."""
    from llm_runner_router.remote import RemoteBackend

    backend = RemoteBackend(target, connect_timeout=CONNECT_SECONDS)
    try:
        await backend.initialize()
    except BaseException:
        await backend.close()
        raise
    if sys.stdin.isatty():
        errors.print("[dim]Ctrl-C ends an answer, Ctrl-D the conversation.[/dim]")
    return Conversation(backend, model)


class Conversation:
    """One session of one request id, a turn at a time. Owns its backend."""

    def __init__(self, backend: Backend, model: str | None) -> None:
        self._backend = backend
        self._model = model
        self._outgoing: asyncio.Queue[SessionMessage | None] = asyncio.Queue()
        self._events = backend.converse(self._messages())
        self._started = False

    async def turn(self, line: str) -> None:
        """Say a line and print the answer."""
        self._say(line)
        await self._listen(self._events)

    async def close(self) -> None:
        """End the session and the connection."""
        await self._events.aclose()
        await self._backend.close()

    async def _messages(self) -> AsyncIterator[SessionMessage]:
        while (message := await self._outgoing.get()) is not None:
            yield message

    def _say(self, line: str) -> None:
        """The user's turn."""
        message = Message(Role.USER, line)
        if self._started:
            self._outgoing.put_nowait(Append(TALK, [message]))
        else:
            self._outgoing.put_nowait(Start(TALK, Request(messages=[message], model=self._model)))

    async def _listen(self, events: AsyncIterator[SessionEvent]) -> None:
        """The model's turn, until it ends or is cut short by Ctrl-C."""
        loop = asyncio.get_running_loop()
        runners = signal.getsignal(signal.SIGINT)
        loop.add_signal_handler(signal.SIGINT, self._outgoing.put_nowait, Cancel(TALK))
        try:
            async for event in events:
                if self._tell(event):
                    return
            raise UnavailableError("the service has ended the conversation")
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            # Removing leaves Python's own handler, which would break the loop where it stands.
            if callable(runners):
                signal.signal(signal.SIGINT, runners)

    def _tell(self, event: SessionEvent) -> bool:
        """Print an event; whether it ends the turn."""
        match event.event:
            case Chunk(text=text):
                say(text, end="")
                return False
            case Complete(finish_reason=reason):
                self._started = True
                out.print("" if reason is FinishReason.STOP else f" [dim]\\[{reason}][/dim]")
                return True
            case Failure(error=error):
                if not self._started:
                    raise error
                errors.print(f"error: {printable(error.message)}", markup=False)
                return True
        return False


def read_line() -> str | None:
    """A line of the user; ``None`` at the end of the conversation."""
    try:
        line = input("> " if sys.stdin.isatty() else "")
    except EOFError:
        return None
    return None if line.strip() in GOODBYE else line
