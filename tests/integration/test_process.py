"""Process, ProcessStream and ProcessBatch over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import grpc
import pytest
from google.protobuf.message import Message as ProtobufMessage
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from integration.word_provider import Service
from llm_runner_router.v1 import router_pb2, types_pb2

if TYPE_CHECKING:
    from llm_runner_router.v1.router_pb2_grpc import RouterAsyncStub

Detail = TypeVar("Detail", bound=ProtobufMessage)


def detail(error: grpc.aio.AioRpcError, message: Detail) -> Detail:
    status = rpc_status.from_call(error)
    assert status is not None
    for packed in status.details:
        if packed.Unpack(message):
            return message
    raise AssertionError(f"no {message.DESCRIPTOR.full_name} in {status}")


async def test_stream_begins_with_started_counts_chunks_and_ends_with_complete(
    router: RouterAsyncStub,
) -> None:
    request = router_pb2.ProcessRequest(prompt="one two three", logprobs=0, prompt_logprobs=1)
    events = [event async for event in router.ProcessStream(request)]
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds[0] == "started"
    assert kinds[-1] == "complete"
    assert set(kinds[1:-1]) == {"chunk"}
    started, complete = events[0].started, events[-1].complete
    assert started.model == "words"
    assert started.request_id
    assert not started.prompt_logprobs[0].HasField("logprob")
    assert started.prompt_logprobs[1].logprob == -0.5
    chunks = [event.chunk for event in events[1:-1]]
    assert "".join(chunk.text for chunk in chunks) == "one two three "
    assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
    assert sum(len(chunk.logprobs) for chunk in chunks) == 3
    assert complete.finish_reason == types_pb2.FINISH_REASON_STOP
    assert complete.metrics.total_tokens == 6


async def test_whole_answer_has_what_the_stream_has(router: RouterAsyncStub) -> None:
    request = router_pb2.ProcessRequest(prompt="one two three", max_tokens=2, logprobs=0)
    answer = await router.Process(request)
    assert answer.response == "one two "
    assert answer.model_used == "words"
    assert answer.finish_reason == types_pb2.FINISH_REASON_LENGTH
    assert len(answer.token_ids) == len(answer.logprobs) == 2


async def test_batch_answers_each_in_its_place(router: RouterAsyncStub) -> None:
    wrong_role = router_pb2.ProcessRequest(messages=[types_pb2.Message(content="no role")])
    requests = [
        router_pb2.ProcessRequest(prompt="first"),
        wrong_role,
        router_pb2.ProcessRequest(prompt="second", model="absent"),
        router_pb2.ProcessRequest(prompt="third"),
    ]
    answer = await router.ProcessBatch(router_pb2.ProcessBatchRequest(requests=requests))
    first, invalid, absent, third = answer.results
    assert first.response.response == "first "
    assert third.response.response == "third "
    assert invalid.failure.code == 3
    assert invalid.failure.details["field"] == "messages[0].role"
    assert (absent.failure.code, absent.failure.reason) == (5, "MODEL_NOT_FOUND")


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (router_pb2.ProcessRequest(), "prompt"),
        (router_pb2.ProcessRequest(prompt="a", temperature=-1), "temperature"),
        (
            router_pb2.ProcessRequest(messages=[types_pb2.Message(role=77, content="a")]),
            "messages[0].role",
        ),
    ],
)
async def test_wrong_field_is_named(
    router: RouterAsyncStub, request_: router_pb2.ProcessRequest, field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.Process(request_)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    bad_request = detail(caught.value, error_details_pb2.BadRequest())
    assert field in bad_request.field_violations[0].field
    info = detail(caught.value, error_details_pb2.ErrorInfo())
    assert (info.domain, info.reason) == ("llm-runner-router", "INVALID_REQUEST")


async def test_prompt_longer_than_the_context_tells_both_numbers(router: RouterAsyncStub) -> None:
    request = router_pb2.ProcessRequest(prompt="word " * 1200)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in router.ProcessStream(request):
            pass
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "1200" in caught.value.details()
    info = detail(caught.value, error_details_pb2.ErrorInfo())
    assert (info.metadata["prompt_tokens"], info.metadata["context_length"]) == ("1200", "1000")


async def test_unknown_model_is_not_found(router: RouterAsyncStub) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.Process(router_pb2.ProcessRequest(prompt="a", model="absent"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert detail(caught.value, error_details_pb2.ErrorInfo()).reason == "MODEL_NOT_FOUND"


async def test_deadline_ends_the_work_and_the_call(
    service: Service, router: RouterAsyncStub
) -> None:
    service.provider.gate.clear()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.Process(router_pb2.ProcessRequest(prompt="a b"), timeout=0.3)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await service.provider.ended.wait()
    assert service.provider.running == 0
    assert service.provider.calls[0].deadline is not None


async def test_client_that_leaves_ends_the_work(service: Service, router: RouterAsyncStub) -> None:
    service.provider.gate.clear()
    call = router.ProcessStream(router_pb2.ProcessRequest(prompt="a b"))
    assert (await call.read()).HasField("started")
    assert service.provider.running == 1
    call.cancel()
    await service.provider.ended.wait()
    status = await service.runtime.get_status()
    assert (status.running_requests, status.queued_requests) == (0, 0)


async def test_caller_is_taken_from_the_metadata(service: Service, router: RouterAsyncStub) -> None:
    request = router_pb2.ProcessRequest(prompt="a")
    await router.Process(request, metadata=(("x-caller", "alice"),))
    await router.Process(request)
    assert [call.caller for call in service.provider.calls] == ["alice", "anonymous"]


async def test_tokens_there_and_back(router: RouterAsyncStub) -> None:
    tokens = await router.Tokenize(router_pb2.TokenizeRequest(text="b a b"))
    text = await router.Detokenize(router_pb2.DetokenizeRequest(token_ids=tokens.token_ids))
    assert text.text == "b a b"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await router.Detokenize(router_pb2.DetokenizeRequest(token_ids=[4_000_000_000]))
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
