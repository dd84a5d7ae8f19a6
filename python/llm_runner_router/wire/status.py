"""Errors as google.rpc.Status and as Failure, in both directions."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from llm_runner_router.errors import FieldError, OverloadedError, RouterError, UnavailableError
from llm_runner_router.v1 import types_pb2
from llm_runner_router.wire.details import DEFAULT_RETRY_SECONDS, details_of, rebuild
from llm_runner_router.wire.reasons import code_of, kind_of
from llm_runner_router.wire.text import clean

DOMAIN = "llm-runner-router"
DETAILS_KEY = "grpc-status-details-bin"
MAX_DETAILS = 4000
"""Characters of all details together."""

CODES_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}

Metadata = tuple[tuple[str, str | bytes], ...]


def message_of(error: RouterError) -> str:
    """The message, short enough for a header and free of what UTF-8 cannot hold."""
    return clean(error.message)


def clean_details(error: RouterError) -> dict[str, str]:
    """The details, as many of them as fit a header."""
    cleaned: dict[str, str] = {}
    left = MAX_DETAILS
    for name, value in details_of(error).items():
        text = clean(value)
        left -= len(name) + len(text)
        if left >= 0:
            cleaned[clean(name)] = text
    return cleaned


def status_of(error: RouterError) -> status_pb2.Status:
    """The status with ErrorInfo and whatever else applies to the error."""
    status = status_pb2.Status(code=code_of(error).value[0], message=message_of(error))
    info = error_details_pb2.ErrorInfo(
        reason=error.reason, domain=DOMAIN, metadata=clean_details(error)
    )
    status.details.add().Pack(info)
    if isinstance(error, FieldError):
        status.details.add().Pack(bad_request(error))
    if isinstance(error, OverloadedError):
        status.details.add().Pack(quota_failure(error))
        status.details.add().Pack(retry_info(error.retry_after))
    if isinstance(error, UnavailableError):
        status.details.add().Pack(retry_info(DEFAULT_RETRY_SECONDS))
    return status


def bad_request(error: FieldError) -> error_details_pb2.BadRequest:
    """Which field is wrong, and what it takes."""
    violation = error_details_pb2.BadRequest.FieldViolation(
        field=clean(error.field), description=message_of(error), reason=error.reason
    )
    return error_details_pb2.BadRequest(field_violations=[violation])


def quota_failure(error: OverloadedError) -> error_details_pb2.QuotaFailure:
    """What is full."""
    violation = error_details_pb2.QuotaFailure.Violation(
        subject=error.reason.lower(), description=message_of(error)
    )
    return error_details_pb2.QuotaFailure(violations=[violation])


def retry_info(seconds: float) -> error_details_pb2.RetryInfo:
    """When to try again."""
    delay = Duration()
    delay.FromMilliseconds(max(1, round(seconds * 1000)))
    return error_details_pb2.RetryInfo(retry_delay=delay)


def trailing_metadata(error: RouterError) -> Metadata:
    """What goes out with the status."""
    return ((DETAILS_KEY, status_of(error).SerializeToString()),)


def error_from_status(
    code: grpc.StatusCode, message: str, metadata: Iterable[tuple[str, str | bytes]]
) -> RouterError:
    """The error behind the end of a call. A peer may leave out or garble any part."""
    info = error_info(metadata)
    kind = kind_of(code, info.reason)
    reason = info.reason or ("CANCELLED" if code is grpc.StatusCode.CANCELLED else "")
    return rebuild(kind, message or code.name, reason, info.metadata)


def error_info(metadata: Iterable[tuple[str, str | bytes]]) -> error_details_pb2.ErrorInfo:
    """Our ErrorInfo in trailing metadata; empty where there is none."""
    info = error_details_pb2.ErrorInfo()
    packed = next((value for key, value in metadata if key == DETAILS_KEY), b"")
    if not isinstance(packed, bytes):
        return info
    try:
        for detail in status_pb2.Status.FromString(packed).details:
            if detail.Unpack(info) and info.domain == DOMAIN:
                return info
    except DecodeError:
        pass
    return error_details_pb2.ErrorInfo()


def error_from_rpc(error: grpc.aio.AioRpcError) -> RouterError:
    """The error behind a failed call of a client."""
    metadata = tuple(error.trailing_metadata() or ())
    return error_from_status(error.code(), error.details() or "", metadata)


def failure_to_wire(error: RouterError) -> types_pb2.Failure:
    """The error of one request among several."""
    return types_pb2.Failure(
        code=code_of(error).value[0],
        reason=error.reason,
        message=message_of(error),
        details=clean_details(error),
    )


def failure_from_wire(failure: types_pb2.Failure) -> RouterError:
    """The error of one request among several, as a peer reports it."""
    code = CODES_BY_NUMBER.get(failure.code, grpc.StatusCode.UNKNOWN)
    kind = kind_of(code, failure.reason)
    return rebuild(kind, failure.message or code.name, failure.reason, failure.details)
