"""Many requests on one bidirectional stream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import pytest_asyncio

from integration.word_provider import Service
from llm_runner_router.v1 import router_pb2, types_pb2

if TYPE_CHECKING:
    from llm_runner_router.v1.router_pb2_grpc import RouterAsyncStub


class Talk:
    """A Converse call, its messages in short."""

    def __init__(self, call: Any) -> None:
        self.call = call

    async def start(self, name: str, prompt: str, **fields: Any) -> None:
        request = router_pb2.ProcessRequest(prompt=prompt, **fields)
        await self.send(start=router_pb2.Start(request_id=name, request=request))

    async def append(self, name: str, text: str) -> None:
        message = types_pb2.Message(role=types_pb2.ROLE_USER, content=text)
        await self.send(append=router_pb2.Append(request_id=name, messages=[message]))

    async def cancel(self, name: str) -> None:
        await self.send(cancel=router_pb2.Cancel(request_id=name))

    async def credits(self, name: str, chunks: int) -> None:
        await self.send(credits=router_pb2.Credits(request_id=name, chunks=chunks))

    async def send(self, **message: Any) -> None:
        await self.call.write(router_pb2.ConverseRequest(**message))

    async def read(self) -> router_pb2.ConverseResponse:
        event = await self.call.read()
        assert event is not grpc.aio.EOF, "the stream has ended"
        return event

    async def until_end(self, name: str) -> list[router_pb2.ConverseResponse]:
        """Events up to the complete or failure of ``name``, those of others among them."""
        events = [await self.read()]
        while events[-1].request_id != name or not ends(events[-1]):
            events.append(await self.read())
        return events

    async def text(self, name: str) -> str:
        events = await self.until_end(name)
        assert events[-1].HasField("complete"), events[-1]
        return "".join(event.chunk.text for event in events if event.request_id == name)

    async def rest(self) -> list[router_pb2.ConverseResponse]:
        """Half-close, and everything up to the end of the stream."""
        await self.call.done_writing()
        events = []
        while (event := await self.call.read()) is not grpc.aio.EOF:
            events.append(event)
        return events


def ends(event: router_pb2.ConverseResponse) -> bool:
    return event.WhichOneof("event") in {"complete", "failure"}


@pytest_asyncio.fixture
async def talk(router: RouterAsyncStub) -> AsyncIterator[Talk]:
    call = router.Converse()
    yield Talk(call)
    call.cancel()


async def test_requests_run_side_by_side(service: Service, talk: Talk) -> None:
    service.provider.gate.clear()
    for name in ("a", "b", "c"):
        await talk.start(name, f"{name}1 {name}2")
    started = [await talk.read() for _ in range(3)]
    assert {event.request_id for event in started} == {"a", "b", "c"}
    assert all(event.started.request_id == event.request_id for event in started)
    assert service.provider.running == 3
    service.provider.gate.set()
    texts = dict.fromkeys("abc", "")
    for event in await talk.rest():
        texts[event.request_id] += event.chunk.text
    assert texts == {name: f"{name}1 {name}2 " for name in "abc"}
    assert await talk.call.code() is grpc.StatusCode.OK


async def test_append_goes_on_with_the_conversation(service: Service, talk: Talk) -> None:
    await talk.start("a", "one", max_tokens=5)
    assert await talk.text("a") == "one "
    await talk.append("a", "two three")
    assert await talk.text("a") == "two three "
    turn = service.provider.calls[1].request
    assert [(m.role, m.content) for m in turn.messages] == [
        ("user", "one"),
        ("assistant", "one "),
        ("user", "two three"),
    ]
    assert turn.max_tokens == 5


async def test_credits_count_chunks(service: Service, talk: Talk) -> None:
    service.provider.gate.clear()
    await talk.start("a", "1 2 3 4 5 6")
    await talk.credits("a", 2)
    await talk.start("b", "other")
    assert {(await talk.read()).WhichOneof("event") for _ in range(2)} == {"started"}
    service.provider.gate.set()
    # b ends although a waits for credit, so whatever a may send has been sent by the next answer.
    await talk.until_end("b")
    await talk.start("c", "x " * 20)
    before = await talk.until_end("c")
    assert service.provider.running == 1
    seen = [event for event in before if event.request_id == "a"]
    assert len(seen) <= 2
    await talk.credits("a", 100)
    after = [event for event in await talk.rest() if event.request_id == "a"]
    assert after[-1].HasField("complete")


async def test_credited_chunks_are_all_that_come(service: Service, talk: Talk) -> None:
    service.provider.gate.clear()
    await talk.start("a", "1 2 3 4 5 6")
    await talk.credits("a", 2)
    assert (await talk.read()).HasField("started")
    service.provider.gate.set()
    chunks = [(await talk.read()).chunk for _ in range(2)]
    assert [chunk.sequence for chunk in chunks] == [0, 1]
    await talk.cancel("a")
    end = await talk.read()
    assert end.complete.finish_reason == types_pb2.FINISH_REASON_CANCELLED


async def test_cancel_ends_one_request_and_is_idempotent(service: Service, talk: Talk) -> None:
    service.provider.gate.clear()
    await talk.start("a", "1 2 3")
    await talk.start("b", "x y")
    assert {(await talk.read()).WhichOneof("event") for _ in range(2)} == {"started"}
    await talk.cancel("a")
    end = await talk.read()
    assert (end.request_id, end.complete.finish_reason) == ("a", types_pb2.FINISH_REASON_CANCELLED)
    await talk.cancel("a")
    service.provider.gate.set()
    rest = await talk.rest()
    assert {event.request_id for event in rest} == {"b"}
    assert rest[-1].complete.finish_reason == types_pb2.FINISH_REASON_STOP


async def test_unknown_id_is_a_failure_and_the_stream_goes_on(talk: Talk) -> None:
    await talk.append("ghost", "hello")
    failure = (await talk.read()).failure
    assert (failure.code, failure.reason) == (5, "REQUEST_NOT_FOUND")
    assert failure.details["request_id"] == "'ghost'"
    await talk.start("a", "still here")
    assert await talk.text("a") == "still here "


async def test_wrong_messages_are_failures_of_their_request(talk: Talk) -> None:
    await talk.send()
    empty = await talk.read()
    assert (empty.request_id, empty.failure.reason) == ("", "INVALID_REQUEST")
    role = types_pb2.Message(role=9, content="who?")
    request = router_pb2.ProcessRequest(messages=[role])
    await talk.send(start=router_pb2.Start(request_id="a", request=request))
    wrong = await talk.read()
    assert (wrong.request_id, wrong.failure.details["field"]) == ("a", "messages[0].role")
    await talk.start("b", "hot", temperature=-1)
    assert (await talk.read()).failure.details["field"] == "temperature"
    await talk.start("c", "fine")
    assert await talk.text("c") == "fine "


async def test_taken_id_is_a_failure(service: Service, talk: Talk) -> None:
    service.provider.gate.clear()
    await talk.start("a", "one")
    assert (await talk.read()).HasField("started")
    await talk.start("a", "two")
    assert (await talk.read()).failure.reason == "ALREADY_EXISTS"
    service.provider.gate.set()
    assert await talk.text("a") == "one "


async def test_leaving_ends_everything(service: Service, talk: Talk) -> None:
    service.provider.gate.clear()
    for name in ("a", "b"):
        await talk.start(name, "1 2 3")
        assert (await talk.read()).HasField("started")
    assert service.provider.running == 2
    talk.call.cancel()
    await service.provider.ended.wait()
    assert service.provider.running == 0


async def test_deadline_of_the_stream_ends_it(service: Service, router: RouterAsyncStub) -> None:
    service.provider.gate.clear()
    call = router.Converse(timeout=0.3)
    await Talk(call).start("a", "1 2")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            pass
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await service.provider.ended.wait()
