"""Many requests at once on a real model: none touches another, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from integration.model_service import ModelService, serving
from llm_runner_router.admission import Ticket
from llm_runner_router.v1 import router_pb2, router_pb2_grpc, types_pb2
from unit import tiny_model
from unit.echoes import until

Call = grpc.aio.UnaryStreamCall[router_pb2.ProcessRequest, router_pb2.ProcessStreamResponse]

STREAMS = 64
CONTEXT = 1024
WORDS = ("hello", "world", "or", "wolf", "heron", "all", "told", "☃")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return tiny_model.write(folder / "tiny.gguf", context=CONTEXT)


def configured(kv_type: str = "f32", threads: int = 1, **performance: int) -> dict[str, Any]:
    limits = {"maxConcurrent": 100, "maxQueue": 100, **performance}
    return {"engine": {"threads": threads, "kvType": kv_type}, "performance": limits}


@pytest_asyncio.fixture
async def service(tiny: Path) -> AsyncIterator[ModelService]:
    async with serving({"tiny": tiny}, configured()) as service:
        yield service


@pytest_asyncio.fixture
async def router(service: ModelService) -> AsyncIterator[router_pb2_grpc.RouterAsyncStub]:
    async with grpc.aio.insecure_channel(service.address) as channel:
        yield router_pb2_grpc.RouterStub(channel)


def request(prompt: str = "hello world", **values: Any) -> router_pb2.ProcessRequest:
    return router_pb2.ProcessRequest(prompt=prompt, model="tiny", ignore_eos=True, **values)


def many(tokens: int = 16) -> list[router_pb2.ProcessRequest]:
    """Different prompts of different lengths, seeds, temperatures and answers."""
    return [
        request(
            " ".join(WORDS[(number + place) % len(WORDS)] for place in range(1 + number % 23)),
            max_tokens=tokens + number % 7,
            temperature=0.6 + 0.02 * number,
            top_p=0.95 if number % 3 == 0 else 1.0,
            repeat_penalty=1.1 if number % 5 == 0 else 1.0,
            seed=1000 + number,
            logprobs=2,
        )
        for number in range(STREAMS)
    ]


@dataclass
class Answer:
    """What a client has got of a stream."""

    tokens: list[int] = field(default_factory=list)
    logprobs: list[types_pb2.TokenLogprob] = field(default_factory=list)
    text: str = ""

    def add(self, event: router_pb2.ProcessStreamResponse) -> None:
        self.tokens += event.chunk.token_ids
        self.logprobs += event.chunk.logprobs
        self.text += event.chunk.text

    @property
    def said(self) -> tuple[object, ...]:
        """All that must be the same, to the last bit."""
        exact = [logprob.SerializeToString(deterministic=True) for logprob in self.logprobs]
        return self.tokens, exact, self.text


async def rest(call: Call, answer: Answer | None = None) -> Answer:
    """Read a stream to its end."""
    answer = answer or Answer()
    while (event := await call.read()) is not grpc.aio.EOF:
        answer.add(event)
    return answer


async def one_by_one(
    tiny: Path, requests: Sequence[router_pb2.ProcessRequest], config: dict[str, Any]
) -> list[Answer]:
    """The answers of a service that has nothing else to do."""
    async with (
        serving({"tiny": tiny}, config) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        return [await rest(router.ProcessStream(wanted)) for wanted in requests]


async def quiet(service: ModelService) -> None:
    """Wait until nothing runs and all is given back; the test's time limit ends a leak."""
    await until(lambda: service.stats().running == 0 and service.stats().waiting == 0)
    await until(lambda: service.runtime._parts.stages.admission.running == 0)
    stats = service.stats()
    assert stats.blocks_held == 0
    assert stats.blocks_free == stats.blocks_total


# Threads of the engine wait for each other without sleeping: with two of them on a machine that
# has other work to do, each step takes long, so these streams are few and short.
@pytest.mark.parametrize(
    ("kv_type", "threads", "streams", "tokens"),
    [("f32", 1, 64, 64), ("f16", 1, 64, 16), ("f32", 2, 12, 4)],
)
async def test_streams_are_the_same_as_one_by_one(
    tiny: Path, kv_type: str, threads: int, streams: int, tokens: int
) -> None:
    wanted, config = many(tokens)[:streams], configured(kv_type, threads)
    alone = await one_by_one(tiny, wanted, config)
    async with (
        serving({"tiny": tiny}, config) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        await service.runtime.load_model("tiny")
        calls = await starting_together(service, router_pb2_grpc.RouterStub(channel), wanted)
        together = await asyncio.gather(*map(rest, calls))
        steps, answered = service.stats().steps, sum(len(one.tokens) for one in together)
        await quiet(service)
    assert steps < answered / 2, "the streams ran one after the other"
    assert [answer.said for answer in together] == [answer.said for answer in alone]
    assert all(len(logprob.top) == 2 for answer in together for logprob in answer.logprobs)
    assert len({tuple(answer.tokens) for answer in alone}) == streams


async def starting_together(
    service: ModelService,
    router: router_pb2_grpc.RouterAsyncStub,
    requests: Sequence[router_pb2.ProcessRequest],
) -> list[Call]:
    """Hold requests back until all have arrived, so that they run at the same time."""
    admission = service.runtime._parts.stages.admission
    async with admission.permit(Ticket()):
        admission.resize(1, STREAMS)
        calls = [router.ProcessStream(one) for one in requests]
        await until(lambda: admission.queued == len(calls))
        admission.resize(100, 100)
    return calls


async def test_cancelling_half_leaves_the_other_half_untouched(
    tiny: Path, service: ModelService
) -> None:
    kept = many(40)[1::2]
    alone = await one_by_one(tiny, kept, configured())
    # Too long to fit the client's window: none of them can be over before it is cancelled.
    doomed = [
        request(f"told {number}", max_tokens=900, temperature=1.0, seed=number, logprobs=20)
        for number in range(STREAMS // 2)
    ]
    wanted = [one for pair in zip(doomed, kept, strict=True) for one in pair]
    options = [("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(service.address, options=options) as channel:
        await service.runtime.load_model("tiny")
        calls = await starting_together(service, router_pb2_grpc.RouterStub(channel), wanted)
        for call in calls[::2]:
            assert (await call.read()).HasField("started")
        assert service.stats().running >= len(doomed), "an answer was over before it was cancelled"
        cancelled = [call.cancel() for call in calls[::2]]
        assert all(cancelled)
        finished = await asyncio.gather(*map(rest, calls[1::2]))
        for call in calls[::2]:
            assert await call.code() is grpc.StatusCode.CANCELLED
    assert [answer.said for answer in finished] == [answer.said for answer in alone]
    await quiet(service)
    assert service.stats().computed_tokens < 900 * len(doomed), "cancelled answers ran on"
    assert not service.runtime._parts.stages.admission.queued


async def test_a_shared_prefix_is_computed_once(
    service: ModelService, router: router_pb2_grpc.RouterAsyncStub
) -> None:
    prefix = "".join(chr(97 + place * place % 23) for place in range(512))
    first = await router.Process(request(prefix + "first", raw=True, max_tokens=1))
    between = service.stats().computed_tokens
    second = await router.Process(request(prefix + "2nd", raw=True, max_tokens=1))
    computed = service.stats().computed_tokens - between
    assert first.metrics.cached_tokens == 0
    assert between >= first.metrics.prompt_tokens >= 512
    assert second.metrics.cached_tokens >= 480
    assert computed == second.metrics.prompt_tokens - second.metrics.cached_tokens


async def test_a_slow_reader_is_paused_and_slows_nobody(
    service: ModelService, router: router_pb2_grpc.RouterAsyncStub
) -> None:
    # Without the probe the client's window stays at 64 KiB, much less than the answer.
    options = [("grpc.http2.bdp_probe", 0)]
    async with grpc.aio.insecure_channel(service.address, options=options) as channel:
        slow = router_pb2_grpc.RouterStub(channel).ProcessStream(
            request(max_tokens=900, temperature=1.0, seed=1, logprobs=20)
        )
        assert (await slow.read()).HasField("started")
        while await computed_beside_a_quick_answer(service, router):
            pass
        assert service.stats().running == 1, "the answer ran on without its reader"
        for _ in range(5):
            assert await computed_beside_a_quick_answer(service, router) == 0
        answer = await rest(slow)
        assert len(answer.tokens) == 900
    await quiet(service)


async def computed_beside_a_quick_answer(
    service: ModelService, router: router_pb2_grpc.RouterAsyncStub
) -> int:
    """Tokens that others computed while a short request was answered in full."""
    before = service.stats().computed_tokens
    quick = await router.Process(request(max_tokens=20))
    assert len(quick.token_ids) == 20
    own = quick.metrics.prompt_tokens - quick.metrics.cached_tokens + 20 - 1
    return service.stats().computed_tokens - before - own


async def test_past_the_permits_requests_wait_and_past_the_queue_they_are_refused(
    tiny: Path,
) -> None:
    limits = configured(maxConcurrent=2, maxQueue=3)
    async with (
        serving({"tiny": tiny}, limits) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        await service.runtime.load_model("tiny")
        calls = [router.ProcessStream(request(max_tokens=300, seed=n)) for n in range(2)]
        for call in calls:
            assert (await call.read()).HasField("started")
        admission = service.runtime._parts.stages.admission
        short = [router.ProcessStream(request(max_tokens=4)) for _ in range(3)]
        waiting = [asyncio.ensure_future(rest(call)) for call in short]
        await until(lambda: admission.queued == 3)
        assert service.stats().running <= 2
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await router.Process(request(max_tokens=1))
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert retry_seconds(caught.value) > 0
        answers = await asyncio.gather(*map(rest, calls), *waiting)
        assert [len(answer.tokens) for answer in answers] == [300, 300, 4, 4, 4]
        await quiet(service)


def retry_seconds(error: grpc.aio.AioRpcError) -> float:
    """When to come back."""
    status = rpc_status.from_call(error)
    assert status is not None
    retry = error_details_pb2.RetryInfo()
    assert any(packed.Unpack(retry) for packed in status.details)
    return retry.retry_delay.ToMilliseconds() / 1000


async def test_a_deadline_ends_generation_in_the_engine(tmp_path: Path) -> None:
    context = 16 * CONTEXT  # more tokens than the deadline leaves time for, by far
    path = tiny_model.write(tmp_path / "long.gguf", context=context)
    async with (
        serving({"tiny": path}, configured(maxConcurrent=1)) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        await service.runtime.load_model("tiny")
        endless = router.ProcessStream(request(temperature=1.0, seed=3, logprobs=20), timeout=0.2)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await rest(endless)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await quiet(service)
        assert 0 < service.stats().computed_tokens < context / 2
        again = await router.Process(request(max_tokens=3))
        assert len(again.token_ids) == 3
