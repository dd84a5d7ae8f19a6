"""Errors travel whole, as statuses and as failures; what a peer garbles stays an error."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import (
    AlreadyExistsError,
    ContextLengthError,
    EngineError,
    InvalidConfigError,
    InvalidRequestError,
    ModelBusyError,
    ModelFileError,
    ModelNotFoundError,
    OverloadedError,
    RequestNotFoundError,
    RouterError,
    TimeLimitError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.v1 import types_pb2
from llm_runner_router.wire.reasons import code_of
from llm_runner_router.wire.status import (
    DETAILS_KEY,
    error_from_status,
    failure_from_wire,
    failure_to_wire,
    message_of,
    status_of,
    trailing_metadata,
)

ERRORS = [
    InvalidRequestError("messages[2].role", "clown", "system, user, assistant"),
    InvalidConfigError("performance.maxQueue", -1, "≥ 0", reason="UNKNOWN_CONFIG_KEY"),
    ContextLengthError(5000, 2048),
    ModelNotFoundError("it's"),
    ModelNotFoundError(""),
    RequestNotFoundError("a-1"),
    AlreadyExistsError("taken"),
    ModelFileError("no GGUF"),
    ModelBusyError("loading"),
    UnsupportedError("not yet"),
    OverloadedError("the queue is full", retry_after=1.5),
    TimeLimitError("too late"),
    UnavailableError("stopping", reason="DRAINING"),
    EngineError("broken"),
    RouterError("unknown"),
]


def facts(error: RouterError) -> dict[str, str]:
    """The attributes of an error as text, values as their repr shows them."""
    return {name: str(value).strip("'\"") for name, value in vars(error).items()} | {
        "reason": error.reason
    }


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_error_survives_a_status(error: RouterError) -> None:
    back = error_from_status(code_of(error), message_of(error), trailing_metadata(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert facts(back) == facts(error)


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_error_survives_a_failure(error: RouterError) -> None:
    back = failure_from_wire(failure_to_wire(error))
    assert type(back) is type(error)
    assert facts(back) == facts(error)


def details(error: RouterError) -> set[str]:
    return {packed.TypeName().rpartition(".")[2] for packed in status_of(error).details}


def test_standard_details_stand_beside_the_reason() -> None:
    assert details(InvalidRequestError("a", 1, "2")) == {"ErrorInfo", "BadRequest"}
    assert details(OverloadedError("full", retry_after=1)) == {
        "ErrorInfo",
        "QuotaFailure",
        "RetryInfo",
    }
    assert details(UnavailableError("away")) == {"ErrorInfo", "RetryInfo"}
    assert details(ModelFileError("bad")) == {"ErrorInfo"}


def test_retry_time_is_exact() -> None:
    retry = error_details_pb2.RetryInfo()
    packed = status_of(OverloadedError("full", retry_after=2.25)).details[2]
    assert packed.Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 2250


def test_hostile_text_fits_a_header() -> None:
    error = ModelFileError("\udcff" + "long " * 10_000)
    assert len(status_of(error).SerializeToString()) < 4000
    assert len(failure_to_wire(error).message) <= 1000


def test_reason_of_another_domain_is_not_ours() -> None:
    status = status_pb2.Status(code=5, message="no route")
    info = error_details_pb2.ErrorInfo(reason="REQUEST_NOT_FOUND", domain="example.com")
    status.details.add().Pack(info)
    metadata = ((DETAILS_KEY, status.SerializeToString()),)
    error = error_from_status(grpc.StatusCode.NOT_FOUND, "no route", metadata)
    assert isinstance(error, ModelNotFoundError)


@given(
    code=st.sampled_from(list(grpc.StatusCode)),
    message=st.text(max_size=50),
    packed=st.binary(max_size=80),
)
def test_garbled_statuses_are_errors(code: grpc.StatusCode, message: str, packed: bytes) -> None:
    error = error_from_status(code, message, ((DETAILS_KEY, packed),))
    assert isinstance(error, RouterError)
    assert error.message


@given(
    code=st.integers(0, 2**32 - 1),
    reason=st.sampled_from(["CONTEXT_LENGTH_EXCEEDED", "OVERLOADED", "INVALID_REQUEST", "?", ""]),
    values=st.dictionaries(
        st.sampled_from(["prompt_tokens", "retry_after_ms", "field", "value"]),
        st.text(max_size=20),
    ),
)
def test_garbled_failures_are_errors(code: int, reason: str, values: dict[str, str]) -> None:
    failure = types_pb2.Failure(code=code, reason=reason, message="m", details=values)
    assert isinstance(failure_from_wire(failure), RouterError)
