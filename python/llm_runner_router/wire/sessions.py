"""Both directions of a Converse stream."""

from __future__ import annotations

from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Credits,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Chunk, Complete, Started
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.events import (
    chunk_to_wire,
    complete_to_wire,
    event_from_wire,
    started_to_wire,
)
from llm_runner_router.wire.fields import assign
from llm_runner_router.wire.requests import (
    messages_from_wire,
    messages_to_wire,
    request_from_wire,
    request_to_wire,
)
from llm_runner_router.wire.status import failure_from_wire, failure_to_wire


def session_message_from_wire(message: router_pb2.ConverseRequest) -> SessionMessage:
    """What the client says; InvalidRequestError where a field is wrong."""
    kind = message.WhichOneof("message")
    if kind == "start":
        return Start(message.start.request_id, request_from_wire(message.start.request))
    if kind == "append":
        return Append(message.append.request_id, messages_from_wire(message.append.messages))
    if kind == "cancel":
        return Cancel(message.cancel.request_id)
    if kind == "credits":
        return Credits(message.credits.request_id, message.credits.chunks)
    raise InvalidRequestError("message", None, "one of start, append, cancel and credits")


def request_id_of(message: router_pb2.ConverseRequest) -> str:
    """The request that a message is about; empty where it does not say."""
    kind = message.WhichOneof("message")
    return getattr(message, kind).request_id if kind else ""


def session_message_to_wire(message: SessionMessage) -> router_pb2.ConverseRequest:
    """What the client says; InvalidRequestError for a value that the message cannot hold."""
    result = router_pb2.ConverseRequest()
    if isinstance(message, Start):
        result.start.request.CopyFrom(request_to_wire(message.request))
        assign(result.start, "request_id", message.request_id)
    elif isinstance(message, Append):
        result.append.messages.extend(messages_to_wire(message.messages))
        assign(result.append, "request_id", message.request_id)
    elif isinstance(message, Cancel):
        result.cancel.SetInParent()
        assign(result.cancel, "request_id", message.request_id)
    else:
        assign(result.credits, "chunks", message.chunks)
        assign(result.credits, "request_id", message.request_id)
    return result


def session_event_to_wire(event: SessionEvent) -> router_pb2.ConverseResponse:
    """What the service says."""
    result = router_pb2.ConverseResponse(request_id=event.request_id)
    match event.event:
        case Chunk() as chunk:
            result.chunk.CopyFrom(chunk_to_wire(chunk))
        case Started() as started:
            result.started.CopyFrom(started_to_wire(started))
        case Complete() as complete:
            result.complete.CopyFrom(complete_to_wire(complete))
        case Failure() as failure:
            result.failure.CopyFrom(failure_to_wire(failure.error))
    return result


def session_event_from_wire(message: router_pb2.ConverseResponse) -> SessionEvent | None:
    """What the service says; ``None`` for an event that this version does not know."""
    if message.WhichOneof("event") == "failure":
        return SessionEvent(message.request_id, Failure(failure_from_wire(message.failure)))
    event = event_from_wire(message)
    return None if event is None else SessionEvent(message.request_id, event)
