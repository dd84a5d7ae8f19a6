"""The whole service with its engine and the demo model, as users start it."""

from __future__ import annotations

import ast
import signal
from pathlib import Path

import grpc
import pytest

from integration.processes import llm_router, service_process
from llm_runner_router import LLMRouter
from llm_runner_router.demo import demo_model_path
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
