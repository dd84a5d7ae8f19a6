"""Several requests in one call, and their answers."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.errors import EngineError, RouterError
from llm_runner_router.types import Request, Response
from llm_runner_router.v1 import router_pb2
from llm_runner_router.validation.request import validate_batch
from llm_runner_router.wire.events import response_from_wire, response_to_wire
from llm_runner_router.wire.requests import request_from_wire, request_to_wire
from llm_runner_router.wire.status import failure_from_wire, failure_to_wire


def batch_from_wire(message: router_pb2.ProcessBatchRequest) -> list[Request | RouterError]:
    """The requests of a batch; one that is wrong stands as its error in its place."""
    validate_batch(message.requests)
    return [request_or_error(request) for request in message.requests]


def request_or_error(message: router_pb2.ProcessRequest) -> Request | RouterError:
    """The request, or why it is none."""
    try:
        return request_from_wire(message)
    except RouterError as error:
        return error


def batch_to_wire(
    requests: Sequence[Request],
) -> list[router_pb2.ProcessRequest | RouterError]:
    """The messages of a batch; for a request that none can hold, the error in its place."""
    return [message_or_error(request) for request in requests]


def message_or_error(request: Request) -> router_pb2.ProcessRequest | RouterError:
    """The message, or why there is none."""
    try:
        return request_to_wire(request)
    except RouterError as error:
        return error


def result_to_wire(result: Response | RouterError) -> router_pb2.ProcessBatchResult:
    """What became of one request."""
    if isinstance(result, RouterError):
        return router_pb2.ProcessBatchResult(failure=failure_to_wire(result))
    return router_pb2.ProcessBatchResult(response=response_to_wire(result))


def result_from_wire(message: router_pb2.ProcessBatchResult) -> Response | RouterError:
    """What became of one request."""
    if message.HasField("response"):
        return response_from_wire(message.response)
    if message.HasField("failure"):
        return failure_from_wire(message.failure)
    return EngineError("the service answered a request of the batch with nothing")
