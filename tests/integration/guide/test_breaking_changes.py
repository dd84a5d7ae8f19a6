"""The section "Breaking Changes", bullet by bullet; what other sections show stands there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.json_format import MessageToDict

from integration.guide.small_project import folder_with, migrated
from integration.model_service import ModelService, serving
from llm_runner_router import Chunk, Complete, LLMRouter
from llm_runner_router.compat.v1_0 import old_events
from llm_runner_router.errors import InvalidRequestError, ModelNotFoundError, RouterError
from llm_runner_router.v1 import router_pb2, router_pb2_grpc

MODEL: Mapping[str, Any] = {
    "id": "my-model",
    "name": "My Model",
    "format": "gguf",
    "source": "./models/model.gguf",
}


@pytest_asyncio.fixture
async def service(model_file: Path) -> AsyncIterator[ModelService]:
    async with serving({"my-model": model_file}, {"engine": {"threads": 1}}) as service:
        yield service


def ask(**values: Any) -> router_pb2.ProcessRequest:
    return router_pb2.ProcessRequest(prompt="hello", max_tokens=3, **values)


async def test_1_2_api_response_format_as_clients_see_it(service: ModelService) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        answer = await router_pb2_grpc.RouterStub(channel).Process(ask())
    seen = MessageToDict(answer, always_print_fields_with_no_presence=True)
    assert seen["response"]
    assert seen["modelUsed"] == "my-model"
    metrics = seen["metrics"]
    assert metrics["completionTokens"] == 3
    assert metrics["totalTokens"] == metrics["promptTokens"] + 3
    assert metrics["durationMs"] > 0
    assert metrics["costUsd"] == 0
    assert not {"text", "usage", "model"} & seen.keys()


async def test_1_2_streaming_api_as_clients_see_it(service: ModelService) -> None:
    async with grpc.aio.insecure_channel(service.address) as channel:
        stream = router_pb2_grpc.RouterStub(channel).ProcessStream(ask())
        names = [event.WhichOneof("event") async for event in stream]
    assert names[0] == "started"
    assert names[-1] == "complete"
    assert set(names[1:-1]) == {"chunk"}


async def test_1_2_streaming_api_in_python(my_router: LLMRouter) -> None:
    new = [event async for event in my_router.process_stream("hello", max_tokens=3)]
    text = "".join(event.text for event in new if isinstance(event, Chunk))
    assert isinstance(new[-1], Complete)
    old = [event async for event in old_events(my_router.process_stream("hello", max_tokens=3))]
    assert {event["event"] for event in old[:-1]} == {"token"}
    assert (old[-1]["event"], old[-1]["text"]) == ("end", text)
    assert old[-1]["usage"]["completion_tokens"] == new[-1].metrics.completion_tokens


async def test_1_2_a_stream_may_be_left_at_any_time(my_router: LLMRouter) -> None:
    events = my_router.process_stream("hello", max_tokens=100, ignore_eos=True)
    async for event in events:
        if isinstance(event, Chunk):
            break
    await events.aclose()
    assert (await my_router.get_status()).running_requests == 0


@pytest.mark.parametrize("missing", ["id", "source"])
async def test_1_2_required_fields_of_a_model(router: LLMRouter, missing: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await router.register_model({key: MODEL[key] for key in MODEL if key != missing})
    assert caught.value.field.rpartition(".")[2] == missing


async def test_1_2_name_and_format_may_be_left_out(router: LLMRouter) -> None:
    view = await router.register_model({"id": "my-model", "source": "./models/model.gguf"})
    assert (view.record.name, view.record.format) == ("my-model", "gguf")
    await router.unregister_model("my-model")
    named = (await router.register_model(MODEL)).record
    assert (named.name, named.format) == ("My Model", "gguf")


def test_1_1_module_system(tmp_path: Path) -> None:
    package = {"name": "app", "version": "1.0.0", "dependencies": {"llm-runner-router": "^1.0.0"}}
    folder = folder_with(tmp_path, {"package.json": package})
    migrated(folder)
    assert '"type":"module"' in (folder / "package.json").read_text().replace(" ", "")


def test_1_1_the_constructor_starts_nothing(tmp_path: Path) -> None:
    """There is no event loop here, and the database would be made where it is opened."""
    database = tmp_path / "registry.sqlite"
    assert LLMRouter({"registry": {"path": str(database)}})
    assert not database.exists()


async def test_1_1_initialize_starts_it(tmp_path: Path) -> None:
    database = tmp_path / "registry.sqlite"
    router = LLMRouter({"registry": {"path": str(database)}})
    await router.initialize()
    assert database.exists()
    await router.close()


async def test_1_1_errors_have_codes(service: ModelService, my_router: LLMRouter) -> None:
    async with LLMRouter(target=service.address) as remote:
        for router in (my_router, remote):
            with pytest.raises(ModelNotFoundError) as absent:
                await router.process("hello", model="absent")
            assert absent.value.reason == "MODEL_NOT_FOUND"
            with pytest.raises(InvalidRequestError) as wrong:
                await router.process("hello", temperature=-1)
            assert (wrong.value.reason, wrong.value.field) == ("INVALID_REQUEST", "temperature")
            assert isinstance(wrong.value, RouterError)
