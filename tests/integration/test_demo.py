"""The whole service with its engine and the demo model, as users start it."""

from __future__ import annotations

import ast
import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from integration.processes import llm_router, service_process
from llm_runner_router import LLMRouter
from llm_runner_router.config.sources import load_config
from llm_runner_router.demo import demo_model_path
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.types import ModelFormat
from llm_runner_router.v1 import router_pb2, router_pb2_grpc, types_pb2

QUESTION = "What is LLM Runner Router?"
PACED = router_pb2.ProcessRequest(
    prompt=QUESTION, temperature=0, max_tokens=60, ignore_eos=True, logprobs=0
)


async def answer_in_this_process(question: str) -> str:
    async with LLMRouter() as router:
        await router.register_model("demo", demo_model_path())
        return (await router.process(question, temperature=0.0)).response


@pytest.mark.parametrize("arguments", [(), ("How do I register a model?",)])
async def test_demo_prints_answer_metrics_and_the_same_in_python(arguments: tuple[str]) -> None:
    question = arguments[0] if arguments else QUESTION
    done = await llm_router("demo", *arguments)
    assert (done.code, done.err) == (0, "")
    answer = await answer_in_this_process(question)
    assert len(answer) > 20
    assert f"\n{answer}\n" in done.out
    assert "completion tokens" in done.out
    lines = done.out.rstrip().splitlines()[-3:]
    program = "async def main():\n" + "".join(f"    {line}\n" for line in lines)
    assert isinstance(ast.parse(program).body[0], ast.AsyncFunctionDef)
    assert await run_printed(program) == answer


async def run_printed(program: str) -> str:
    """What the printed lines print."""
    printed: list[str] = []
    names = {"LLMRouter": LLMRouter, "print": printed.append}
    exec(compile(program, "printed", "exec"), names)
    await names["main"]()  # type: ignore[operator]
    return printed[0]


async def test_streams_finish_before_the_service_ends(tmp_path: Path) -> None:
    arguments = ("serve", "--port", "0", "--data", str(tmp_path), "--drain-timeout", "60")
    model = ("--model", f"demo={demo_model_path()}")
    async with (
        service_process("-m", "llm_runner_router.cli", *arguments, *model) as service,
        grpc.aio.insecure_channel(service.address) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        alone = await router.Process(PACED)
        assert len(alone.token_ids) == 60
        call = router.Converse()
        await grant(call, 2)
        await call.write(
            router_pb2.ConverseRequest(start=router_pb2.Start(request_id="a", request=PACED))
        )
        assert (await call.read()).HasField("started")
        chunks = [(await call.read()).chunk, (await call.read()).chunk]
        service.process.send_signal(signal.SIGTERM)
        while (await router.CheckHealth(router_pb2.CheckHealthRequest())).ready:
            pass
        await grant(call, 1000)
        while (event := await call.read()).HasField("chunk"):
            chunks.append(event.chunk)
        assert event.complete.finish_reason == types_pb2.FINISH_REASON_LENGTH
        assert "".join(chunk.text for chunk in chunks) == alone.response
        assert [token for chunk in chunks for token in chunk.token_ids] == list(alone.token_ids)
        logprobs = [entry.logprob for chunk in chunks for entry in chunk.logprobs]
        assert logprobs == [entry.logprob for entry in alone.logprobs]
        assert await call.read() is grpc.aio.EOF
        assert await service.exit_code() == 0


async def grant(call: grpc.aio.StreamStreamCall, chunks: int) -> None:
    granted = router_pb2.Credits(request_id="a", chunks=chunks)
    await call.write(router_pb2.ConverseRequest(credits=granted))


STREAMS = 64


def numbered(number: int) -> router_pb2.ProcessRequest:
    """One of many requests, each with its own prompt, seed and length."""
    return router_pb2.ProcessRequest(
        prompt=f"Question {number}: what is LLM Runner Router?",
        temperature=0.9,
        seed=number,
        max_tokens=16 + number % 24,
        ignore_eos=True,
        logprobs=1,
    )


async def answered(
    router: router_pb2_grpc.RouterAsyncStub, number: int
) -> tuple[list[int], list[types_pb2.TokenLogprob]]:
    """The tokens of an answer and their log-probabilities."""
    tokens: list[int] = []
    logprobs: list[types_pb2.TokenLogprob] = []
    async for event in router.ProcessStream(numbered(number)):
        tokens += event.chunk.token_ids
        logprobs += event.chunk.logprobs
    return tokens, logprobs


async def left(router: router_pb2_grpc.RouterAsyncStub, number: int) -> None:
    """A client that leaves after its first token."""
    call = router.ProcessStream(numbered(number))
    while not (await call.read()).HasField("chunk"):
        pass
    call.cancel()


async def test_many_streams_answer_as_each_alone_though_half_of_them_leave() -> None:
    config = {"performance": {"max_concurrent": STREAMS}}
    async with (
        served(config) as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        router = router_pb2_grpc.RouterStub(channel)
        alone = [await answered(router, number) for number in range(STREAMS)]
        assert len({tuple(tokens) for tokens, _ in alone}) > STREAMS // 2
        together = await asyncio.gather(*(answered(router, n) for n in range(STREAMS)))
        assert together == alone
        clients = (left if number % 2 else answered for number in range(STREAMS))
        some = await asyncio.gather(*(client(router, n) for n, client in enumerate(clients)))
        assert some[::2] == alone[::2]
        status = await router.GetStatus(router_pb2.GetStatusRequest())
        while status.running_requests:
            status = await router.GetStatus(router_pb2.GetStatusRequest())
        assert status.queued_requests == 0


@asynccontextmanager
async def served(config: Mapping[str, Any]) -> AsyncIterator[str]:
    """The address of a service in this process with the demo model. Every answer is computed."""
    values = {"cache": {"enabled": False}, **config}
    loaded = load_config(values, environment={}, folder=Path("/nonexistent"))
    runtime = Runtime(loaded)
    await runtime.initialize()
    source = str(demo_model_path())
    await runtime.register_model(ModelRecord("demo", "demo", ModelFormat.GGUF, source))
    server = Server(runtime, ServerOptions(port=0, drain_timeout=0))
    await server.start()
    try:
        yield server.address
    finally:
        await server.stop()
        await runtime.close()


async def test_next_turn_computes_the_new_messages_only() -> None:
    async with served({}) as address, grpc.aio.insecure_channel(address) as channel:
        call = router_pb2_grpc.RouterStub(channel).Converse()
        first = router_pb2.ProcessRequest(prompt=QUESTION * 8, temperature=0)
        start = router_pb2.Start(request_id="a", request=first)
        await call.write(router_pb2.ConverseRequest(start=start))
        metrics = await metrics_of_turn(call)
        assert metrics.cached_tokens == 0
        message = types_pb2.Message(role=types_pb2.ROLE_USER, content="How do I register a model?")
        append = router_pb2.Append(request_id="a", messages=[message])
        await call.write(router_pb2.ConverseRequest(append=append))
        again = await metrics_of_turn(call)
        assert again.prompt_tokens > metrics.prompt_tokens
        assert again.cached_tokens >= metrics.prompt_tokens - 16
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF


async def metrics_of_turn(call: grpc.aio.StreamStreamCall) -> types_pb2.Metrics:
    while not (event := await call.read()).HasField("complete"):
        assert not event.HasField("failure"), event
    return event.complete.metrics
