from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.conversation import Session, SessionLimits
from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Credits,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.errors import (
    AlreadyExistsError,
    EngineError,
    InvalidRequestError,
    OverloadedError,
    RequestNotFoundError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.providers.echo import EchoBehaviour, EchoProvider
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import Chunk, Complete, FinishReason, Message, Request, Role, Started
from unit.echoes import EchoLoader, collect, echo_runtime, settle, until

USER = Role.USER


class Client:
    """Sends when a test says so, reads what comes into ``events``."""

    def __init__(self, runtime: Runtime) -> None:
        self._outgoing: asyncio.Queue[SessionMessage | None] = asyncio.Queue()
        self.stream = runtime.converse(self._messages())
        self.events: list[SessionEvent] = []

    async def _messages(self) -> AsyncIterator[SessionMessage]:
        while (message := await self._outgoing.get()) is not None:
            yield message

    def send(self, *messages: SessionMessage | None) -> None:
        for message in messages:
            self._outgoing.put_nowait(message)

    async def read(self) -> SessionEvent:
        event = await anext(self.stream)
        self.events.append(event)
        return event

    async def read_to_end(self, request_id: str) -> list[SessionEvent]:
        """The events of one request up to its Complete or Failure."""
        found: list[SessionEvent] = []
        while not found or not isinstance(found[-1].event, Complete | Failure):
            event = await self.read()
            if event.request_id == request_id:
                found.append(event)
        return found


def start(name: str, prompt: str = "one two", **values: object) -> Start:
    return Start(name, Request(prompt=prompt, **values))  # type: ignore[arg-type]


def text_of(events: Sequence[SessionEvent]) -> str:
    return "".join(event.event.text for event in events if isinstance(event.event, Chunk))


def error_of(event: SessionEvent) -> RouterError:
    assert isinstance(event.event, Failure)
    return event.event.error


async def sent(*messages: SessionMessage) -> AsyncGenerator[SessionMessage, None]:
    for message in messages:
        yield message


async def test_half_close_finishes_what_runs() -> None:
    async with echo_runtime() as runtime:
        events = await collect(runtime.converse(sent(start("a"), start("b", "three"))))
    for name, text in (("a", "one two"), ("b", "three")):
        own = [event for event in events if event.request_id == name]
        assert isinstance(own[0].event, Started)
        assert own[0].event.request_id == name
        assert isinstance(own[-1].event, Complete)
        assert text_of(own) == text


async def test_append_continues_the_conversation_with_its_wishes() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.send(start("a", "hello", seed=7))
        await client.read_to_end("a")
        client.send(Append("a", [Message(USER, "again")]))
        assert text_of(await client.read_to_end("a")) == "again"
        client.send(Append("a", [Message(USER, "third")]), None)
        assert text_of(await client.read_to_end("a")) == "third"
        last = loader.providers["m"].calls[-1].request
        said = [(message.role.value, message.content) for message in last.messages]
        assert said == [
            ("user", "hello"),
            ("assistant", "hello"),
            ("user", "again"),
            ("assistant", "again"),
            ("user", "third"),
        ]
        assert (last.prompt, last.seed) == (None, 7)
        assert await collect(client.stream) == []


async def test_kv_is_held_for_the_last_turn_only_and_while_the_stream_lives() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.send(start("a"))
        await client.read_to_end("a")
        provider = loader.providers["m"]
        first = set(provider.held)
        assert len(first) == 1
        client.send(Append("a", [Message(USER, "again")]))
        await client.read_to_end("a")
        assert len(provider.held) == 1
        assert provider.held != first
        await client.stream.aclose()
        assert not provider.held


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (Cancel("x"), RequestNotFoundError),
        (Append("x", [Message(USER, "y")]), RequestNotFoundError),
        (Credits("x", 0), InvalidRequestError),
        (Start("", Request(prompt="x")), InvalidRequestError),
        (Start("x" * 129, Request(prompt="x")), InvalidRequestError),
        (Start("x", Request()), InvalidRequestError),
    ],
)
async def test_mistakes_fail_their_request_and_not_the_stream(
    message: SessionMessage, kind: type[RouterError]
) -> None:
    async with echo_runtime() as runtime:
        events = await collect(runtime.converse(sent(message, start("good"))))
    failed = [event for event in events if event.request_id == message.request_id]
    assert [type(error_of(event)) for event in failed] == [kind]
    assert text_of(events) == "one two"


async def test_a_running_id_cannot_be_started_again() -> None:
    async with echo_runtime() as runtime:
        events = await collect(runtime.converse(sent(start("a"), start("a", "no"))))
    assert isinstance(
        error_of(next(e for e in events if isinstance(e.event, Failure))), AlreadyExistsError
    )
    assert text_of(events) == "one two"
    assert sum(isinstance(event.event, Complete) for event in events) == 1


async def test_a_finished_id_may_be_started_again() -> None:
    async with echo_runtime() as runtime:
        client = Client(runtime)
        client.send(start("a"))
        await client.read_to_end("a")
        client.send(start("a", "fresh"), None)
        assert text_of(await client.read_to_end("a")) == "fresh"
        await client.stream.aclose()


async def test_append_needs_a_request_that_ended_and_was_not_raw() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(1)
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.send(start("a", "word", raw=True), Append("a", [Message(USER, "x")]))
        assert isinstance(error_of((await client.read_to_end("a"))[-1]), InvalidRequestError)
        loader.chunk_gate.release()
        await client.read_to_end("a")
        client.send(Append("a", [Message(USER, "x")]), None)
        assert "raw" in str(error_of((await client.read_to_end("a"))[-1]))
        await client.stream.aclose()


async def test_cancel_ends_with_complete_and_is_idempotent() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(1)
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.send(start("a"))
        while not isinstance((await client.read()).event, Chunk):
            pass
        client.send(Cancel("a"), Cancel("a"))
        (end,) = await client.read_to_end("a")
        assert isinstance(end.event, Complete)
        assert end.event.finish_reason is FinishReason.CANCELLED
        assert end.event.model_used == "m"
        assert end.event.metrics.prompt_tokens == 7
        assert end.event.metrics.completion_tokens == 3
        assert len(loader.providers["m"].cancelled) == 1
        client.send(Cancel("a"), None)
        assert await collect(client.stream) == []


async def test_cancel_right_behind_start() -> None:
    async with echo_runtime() as runtime:
        events = await collect(runtime.converse(sent(start("a"), Cancel("a"))))
    (end,) = events
    assert isinstance(end.event, Complete)
    assert end.event.finish_reason is FinishReason.CANCELLED


async def test_cancel_of_one_that_waits_for_a_permit() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime({"performance": {"maxConcurrent": 1}}, loader) as runtime:
        client = Client(runtime)
        client.send(start("a"))
        await client.read()
        client.send(start("b"))
        await settle()
        client.send(Cancel("b"))
        (end,) = await client.read_to_end("b")
        assert isinstance(end.event, Complete)
        assert (await runtime.get_status()).queued_requests == 0
        await client.stream.aclose()


async def test_credits_bound_the_chunks() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.send(Credits("a", 2), start("a", "1 2 3 4 5"))
        while text_of(client.events) != "1 2":
            await client.read()
        waiting = asyncio.ensure_future(client.read())
        await settle()
        assert not waiting.done()
        assert loader.providers["m"].deltas <= 3
        client.send(Credits("a", 1))
        await waiting
        assert text_of(client.events) == "1 2 3"
        client.send(Credits("a", 10), None)
        assert text_of(await client.read_to_end("a")) == " 4 5"
        await client.stream.aclose()


async def test_cancel_needs_no_credits() -> None:
    async with echo_runtime() as runtime:
        client = Client(runtime)
        client.send(Credits("a", 1), start("a", "1 2 3"))
        while not text_of(client.events):
            await client.read()
        client.send(Cancel("a"), None)
        assert isinstance((await client.read_to_end("a"))[-1].event, Complete)
        await client.stream.aclose()


async def test_a_leaving_client_cancels_everything() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.send(start("a"), start("b"))
        await client.read()
        await until(lambda: len(loader.providers["m"].running) == 2)
        await client.stream.aclose()
        assert len(loader.providers["m"].cancelled) == 2
        assert not loader.providers["m"].held
        assert (await runtime.get_status()).running_requests == 0


async def test_a_slow_reader_pauses_its_requests_only() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        slow = Client(runtime)
        slow.send(start("slow", " ".join("x" * 500)))
        await slow.read()
        await settle()
        for _ in range(20):
            await settle()
        assert loader.providers["m"].deltas < 50
        assert (await runtime.process(Request(prompt="fast one"))).response == "fast one"
        await slow.stream.aclose()


async def test_an_error_of_the_messages_ends_the_session() -> None:
    async def broken() -> AsyncIterator[SessionMessage]:
        yield start("a")
        raise UnavailableError("the peer is gone")

    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(loader=loader) as runtime:
        with pytest.raises(UnavailableError, match="the peer is gone"):
            await collect(runtime.converse(broken()))
        assert (await runtime.get_status()).running_requests == 0


async def test_failures_of_the_provider_are_failures_of_the_request() -> None:
    loader = EchoLoader(EchoBehaviour(failure=EngineError("broken"), fail_after=1))
    async with echo_runtime(loader=loader) as runtime:
        events = await collect(runtime.converse(sent(start("a"))))
    assert [type(event.event) for event in events] == [Started, Chunk, Failure]
    assert isinstance(error_of(events[-1]), EngineError)


class Defective(EchoProvider):
    def tokenize(self, text: str, *, add_special: bool, parse_special: bool) -> Sequence[int]:
        raise ZeroDivisionError(text, add_special, parse_special)


async def test_defects_do_not_leak_and_do_not_hang(caplog: pytest.LogCaptureFixture) -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        await runtime.load_model("m")
        loader.providers["m"].__class__ = Defective
        events = await collect(runtime.converse(sent(start("a"))))
    assert isinstance(error_of(events[-1]), EngineError)
    assert "failed unexpectedly" in caplog.text


def limited(runtime: Runtime, limits: SessionLimits) -> Session:
    return Session(runtime._parts.pipeline, CallContext(), limits)


async def test_a_stream_runs_a_bounded_number_at_once() -> None:
    loader = EchoLoader()
    loader.chunk_gate = asyncio.Semaphore(0)
    async with echo_runtime(loader=loader) as runtime:
        session = limited(runtime, SessionLimits(running=2))
        stream = session.events(sent(start("a"), start("b"), start("c")))
        while not isinstance((event := await anext(stream)).event, Failure):
            pass
        assert event.request_id == "c"
        assert isinstance(error_of(event), OverloadedError)
        await stream.aclose()


async def test_the_oldest_finished_conversation_is_forgotten_first() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        session = limited(runtime, SessionLimits(finished=2))
        stream = session.events(sent(*(start(name) for name in "abc"), Cancel("c")))
        events = await collect(stream)
        assert sum(isinstance(event.event, Complete) for event in events) == 3
        assert not loader.providers["m"].held
    async with echo_runtime(loader=loader) as runtime:
        client = Client(runtime)
        client.stream = limited(runtime, SessionLimits(finished=1)).events(client._messages())
        for name in "ab":
            client.send(start(name))
            await client.read_to_end(name)
        assert len(loader.providers["m"].held) == 1
        client.send(Append("a", [Message(USER, "x")]))
        assert isinstance(error_of((await client.read_to_end("a"))[-1]), RequestNotFoundError)
        await client.stream.aclose()
