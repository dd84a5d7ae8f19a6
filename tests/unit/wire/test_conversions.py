"""Values travel whole in both directions; what the wire cannot hold is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.config.tree import Config
from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Credits,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.errors import EngineError, InvalidConfigError, InvalidRequestError
from llm_runner_router.registry.records import (
    ModelConfig,
    ModelDetails,
    ModelPage,
    ModelRecord,
    ModelView,
)
from llm_runner_router.types import (
    Chunk,
    Complete,
    Event,
    FinishReason,
    HealthReport,
    Message,
    Metrics,
    ModelFormat,
    Request,
    Response,
    Role,
    Started,
    Status,
    TokenLogprob,
    TopLogprob,
)
from llm_runner_router.v1 import registry_pb2, router_pb2, types_pb2
from llm_runner_router.wire.batches import batch_from_wire, result_from_wire, result_to_wire
from llm_runner_router.wire.config import (
    changes_from_wire,
    changes_to_wire,
    config_from_wire,
    config_to_wire,
)
from llm_runner_router.wire.events import (
    event_from_wire,
    event_to_wire,
    response_from_wire,
    response_to_wire,
)
from llm_runner_router.wire.models import (
    new_record_from_wire,
    page_from_wire,
    page_to_wire,
    view_from_wire,
)
from llm_runner_router.wire.reports import (
    health_from_wire,
    health_to_wire,
    status_from_wire,
    status_to_wire,
)
from llm_runner_router.wire.requests import request_from_wire, request_to_wire
from llm_runner_router.wire.sessions import (
    session_event_from_wire,
    session_event_to_wire,
    session_message_from_wire,
    session_message_to_wire,
)

counts = st.integers(0, 2**32 - 1)
numbers = st.floats(allow_nan=False)
texts = st.text(max_size=20)
maybe_count, maybe_number = st.none() | counts, st.none() | numbers

requests = st.builds(
    Request,
    prompt=st.none() | texts,
    raw=st.booleans(),
    messages=st.lists(st.builds(Message, st.sampled_from(Role), texts), max_size=3).map(tuple),
    model=st.none() | st.text(min_size=1, max_size=5),
    max_tokens=maybe_count,
    temperature=maybe_number,
    top_p=maybe_number,
    top_k=maybe_count,
    min_p=maybe_number,
    seed=maybe_count,
    stop=st.lists(texts, max_size=3).map(tuple),
    repeat_penalty=maybe_number,
    frequency_penalty=maybe_number,
    presence_penalty=maybe_number,
    logprobs=maybe_count,
    prompt_logprobs=maybe_count,
    logit_bias=st.dictionaries(counts, numbers, max_size=3),
    ignore_eos=st.booleans(),
    metadata=st.dictionaries(texts, texts, max_size=3),
)

LOGPROBS = (
    TokenLogprob(1, "a", None),
    TokenLogprob(2, "b", -0.1, (TopLogprob(2, "b", -0.1), TopLogprob(3, "c", -float("inf")))),
)
METRICS = Metrics(10, 5, 3, 12.5, 1.25, 3.75, 0.125)
EVENTS: list[Event] = [
    Started("id", "model", LOGPROBS),
    Chunk("text", (1, 2), 7, LOGPROBS),
    Chunk("", (), 0),
    *(Complete(reason, "model", METRICS) for reason in FinishReason),
]


@given(requests)
def test_requests(request: Request) -> None:
    message = router_pb2.ProcessRequest.FromString(request_to_wire(request).SerializeToString())
    assert request_from_wire(message) == request


def test_zero_is_a_value() -> None:
    said = request_from_wire(router_pb2.ProcessRequest(temperature=0, top_k=0, seed=0, logprobs=0))
    assert (said.temperature, said.top_k, said.seed, said.logprobs) == (0.0, 0, 0, 0)
    unsaid = request_from_wire(router_pb2.ProcessRequest())
    assert unsaid == Request()


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"max_tokens": -1}, "max_tokens"),
        ({"seed": 2**32}, "seed"),
        ({"top_k": 1.5}, "top_k"),
        ({"temperature": "hot"}, "temperature"),
        ({"prompt": "\udcff"}, "prompt"),
        ({"stop": [1]}, "stop"),
        ({"stop": 5}, "stop"),
        ({"logit_bias": {-1: 1.0}}, "logit_bias"),
        ({"metadata": {"a": 1}}, "metadata"),
        ({"messages": [Message("clown", "x")]}, "messages[0].role"),  # type: ignore[arg-type]
        ({"messages": [Message(Role.USER, "\udcff")]}, "messages[0].content"),
    ],
)
def test_what_a_request_cannot_hold_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        request_to_wire(Request(**wrong))
    assert caught.value.field == field


@pytest.mark.parametrize("number", [0, 5, 99, -1])
def test_roles_that_do_not_exist(number: int) -> None:
    message = router_pb2.ProcessRequest(messages=[types_pb2.Message(role=number)])  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match=r"messages\[0\]\.role"):
        request_from_wire(message)


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_events(event: Event) -> None:
    assert event_from_wire(event_to_wire(event)) == event
    carried = SessionEvent("name", event)
    assert session_event_from_wire(session_event_to_wire(carried)) == carried


def test_failures_of_a_session() -> None:
    error = InvalidRequestError("a", 1, "2")
    back = session_event_from_wire(session_event_to_wire(SessionEvent("name", Failure(error))))
    assert back is not None
    assert isinstance(back.event, Failure)
    assert str(back.event.error) == str(error)


def test_events_of_later_versions_are_ignored() -> None:
    assert event_from_wire(router_pb2.ProcessStreamResponse()) is None
    assert session_event_from_wire(router_pb2.ConverseResponse(request_id="a")) is None


def test_finish_reason_of_a_later_version_is_an_error() -> None:
    complete = router_pb2.Complete(finish_reason=77)  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="77"):
        event_from_wire(router_pb2.ProcessStreamResponse(complete=complete))


def test_responses() -> None:
    response = Response(
        "id", "text", "model", FinishReason.LENGTH, METRICS, (1, 2), LOGPROBS, LOGPROBS[:1]
    )
    message = response_to_wire(response)
    assert message.metrics.total_tokens == 15
    assert response_from_wire(message) == response
    assert result_from_wire(result_to_wire(response)) == response


def test_batches() -> None:
    for count in (0, 1025):
        with pytest.raises(InvalidRequestError, match="requests"):
            batch_from_wire(router_pb2.ProcessBatchRequest(requests=[{}] * count))
    assert isinstance(result_from_wire(router_pb2.ProcessBatchResult()), EngineError)


@pytest.mark.parametrize(
    "message",
    [
        Start("a", Request(prompt="x", top_k=0)),
        Append("a", (Message(Role.USER, "x"),)),
        Append("a", ()),
        Cancel("a"),
        Cancel(""),
        Credits("a", 5),
    ],
    ids=repr,
)
def test_session_messages(message: SessionMessage) -> None:
    assert session_message_from_wire(session_message_to_wire(message)) == message


def test_empty_session_message_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="message"):
        session_message_from_wire(router_pb2.ConverseRequest())


RECORD = ModelRecord(
    "id",
    "Name",
    ModelFormat.GGUF,
    "/path",
    ModelConfig(0, 0, 0.0, 0.0, 0, 0.0, 0.0, ("a",), -1),
    ("text-generation", "x"),
    {"k": "v"},
    "etag",
)


@pytest.mark.parametrize("record", [RECORD, replace(RECORD, config=ModelConfig())])
def test_models(record: ModelRecord) -> None:
    details = ModelDetails("llama", 70_000_000_000, 2**45, 8192, 128_256)
    page = ModelPage((ModelView(record, True, details), ModelView(record)), "next")
    assert page_from_wire(page_to_wire(page)) == page


def test_formats_must_be_known() -> None:
    with pytest.raises(InvalidRequestError, match=r"model\.format"):
        new_record_from_wire(registry_pb2.Model(id="a", source="b"))
    with pytest.raises(EngineError):
        view_from_wire(registry_pb2.Model(id="a", format=55))  # type: ignore[arg-type]


def test_configuration_that_the_wire_tells() -> None:
    values = Config.checked({"models": {"default": "x"}, "server": {"drain_timeout": 1.5}}).nested()
    told = config_from_wire(config_to_wire(values))
    for section, entries in told.items():
        assert entries.items() <= values[section].items()
    assert told["server"]["drain_timeout"] == 1.5
    assert told["models"] == {"default": "x"}
    assert told["performance"] == values["performance"]
    assert told["engine"] == values["engine"]
    assert told["cache"].keys() == values["cache"].keys() - {"url"}
    assert told["routing"].keys() == values["routing"].keys() - {"seed"}


def test_where_answers_are_kept_is_not_told() -> None:
    values = Config.checked({"cache": {"url": "redis://:secret@host"}}).nested()
    assert "secret" not in str(config_to_wire(values))


def test_every_field_of_the_wire_is_a_setting() -> None:
    values = Config.checked({"models": {"default": "x"}, "routing": {"seed": 7}}).nested()
    message = config_to_wire(values)
    for section in message.DESCRIPTOR.fields:
        part = getattr(message, section.name)
        for field in part.DESCRIPTOR.fields:
            assert part.HasField(field.name), f"{section.name}.{field.name}"


def test_changes() -> None:
    changes = {"performance": {"timeout": 5000, "max_queue": 0}, "logging": {"level": "debug"}}
    assert changes_from_wire(changes_to_wire(changes)) == changes


def test_mask_takes_what_it_names_and_no_more() -> None:
    performance = router_pb2.PerformanceConfig(max_queue=5, max_concurrent=2)
    request = router_pb2.UpdateConfigRequest(
        config=router_pb2.Config(performance=performance, logging={"level": "warn"})
    )
    request.update_mask.paths.append("performance.max_queue")
    assert changes_from_wire(request) == {"performance": {"max_queue": 5}}
    request.update_mask.paths[:] = ["performance"]
    assert changes_from_wire(request) == {"performance": {"max_queue": 5, "max_concurrent": 2}}
    del request.update_mask.paths[:]
    assert changes_from_wire(request)["logging"] == {"level": "warn"}


@pytest.mark.parametrize("path", ["nonsense", "performance.nonsense", "performance.max_queue.x"])
def test_unknown_paths_are_named(path: str) -> None:
    request = router_pb2.UpdateConfigRequest()
    request.update_mask.paths.append(path)
    with pytest.raises(InvalidConfigError, match=path):
        changes_from_wire(request)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"cache": {"url": "redis://:secret@host"}}, "cache.url"),
        ({"routing": {"hedge": "perhaps"}}, "routing.hedge"),
        ({"performance": {"max_queue": -1}}, "performance.max_queue"),
        ({"performance": {"max_queue": "many"}}, "performance.max_queue"),
        ({"performance": 5}, "performance"),
    ],
)
def test_changes_that_the_wire_cannot_hold(changes: Any, key: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        changes_to_wire(changes)
    assert caught.value.field == key
    assert "secret" not in str(caught.value)


def test_reports() -> None:
    status = Status(True, "1.2.3", 4.5, 6, 7, ("a", "b"), 8)
    assert status_from_wire(status_to_wire(status)) == status
    report = HealthReport(True, False, {"a": True, "b": False})
    assert health_from_wire(health_to_wire(report)) == report
