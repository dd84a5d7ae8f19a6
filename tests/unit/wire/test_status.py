"""Errors travel whole, as statuses and as failures; what a peer garbles stays an error."""

from __future__ import annotations

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.decision import Attempt
from llm_runner_router.errors import (
    AlreadyExistsError,
    BudgetError,
    ContextLengthError,
    EngineError,
    InvalidConfigError,
    InvalidRequestError,
    ModelBusyError,
    ModelFileError,
    ModelNotFoundError,
    NoCandidateError,
    OverloadedError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RequestNotFoundError,
    ResourceNotFoundError,
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
    RateLimitError("slow down", retry_after=60.0),
    BudgetError("caller alice, day", limit_usd=5.0, spent_usd=5.25, retry_after=3600.0),
    NoCandidateError({"a:8b": "too dear", "b": "no tools"}),
    NoCandidateError({}),
    ResourceNotFoundError("template", "greeting"),
    ProviderRejectedError("the provider refuses the key"),
    ProviderFailedError("the provider answered with nonsense"),
    UnavailableError("left alone for a while", reason="CIRCUIT_OPEN"),
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
    assert details(ProviderFailedError("broke off")) == {"ErrorInfo", "RetryInfo"}
    for full in (
        RateLimitError("slow down", retry_after=2),
        BudgetError("all", limit_usd=1, spent_usd=1, retry_after=2),
    ):
        assert details(full) == {"ErrorInfo", "QuotaFailure", "RetryInfo"}
    assert details(ModelFileError("bad")) == {"ErrorInfo"}


def test_retry_time_is_exact() -> None:
    retry = error_details_pb2.RetryInfo()
    packed = status_of(OverloadedError("full", retry_after=2.25)).details[2]
    assert packed.Unpack(retry)
    assert retry.retry_delay.ToMilliseconds() == 2250


TRIED = (
    Attempt("llama3:8b", "local", "OVERLOADED"),
    Attempt("100%, really", "openai", "PROVIDER_FAILED", "broke off", 1.0, 2.0, 0.5, hedged=True),
)


def test_attempts_travel_with_the_error() -> None:
    error = ProviderFailedError("broke off")
    error.attempts = TRIED
    text = "llama3:8b:OVERLOADED, 100%25%2C really:PROVIDER_FAILED"
    assert failure_to_wire(error).details["attempts"] == text
    for back in (
        failure_from_wire(failure_to_wire(error)),
        error_from_status(code_of(error), message_of(error), trailing_metadata(error)),
    ):
        told = [(attempt.model, attempt.outcome) for attempt in back.attempts]
        assert told == [(attempt.model, attempt.outcome) for attempt in TRIED]


def test_attempts_are_told_whole_or_not_at_all() -> None:
    error = ProviderFailedError("broke off")
    error.attempts = [Attempt("m" * 128, "openai", "PROVIDER_FAILED")] * 20
    back = failure_from_wire(failure_to_wire(error))
    assert 0 < len(back.attempts) < 20
    assert {attempt.outcome for attempt in back.attempts} == {"PROVIDER_FAILED"}


def test_many_exclusions_fit_a_header() -> None:
    error = NoCandidateError({f"model {n} {'x' * 100}": "why " * 100 for n in range(100)})
    assert len(status_of(error).SerializeToString()) < 6000
    back = failure_from_wire(failure_to_wire(error))
    assert isinstance(back, NoCandidateError)
    assert 0 < len(back.excluded) <= 32


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
    reason=st.sampled_from(
        ["CONTEXT_LENGTH_EXCEEDED", "OVERLOADED", "INVALID_REQUEST", "BUDGET_EXCEEDED", "?", ""]
    ),
    values=st.dictionaries(
        st.sampled_from(
            ["prompt_tokens", "retry_after_ms", "field", "value", "limit_usd", "attempts"]
        ),
        st.text(max_size=20),
    ),
)
def test_garbled_failures_are_errors(code: int, reason: str, values: dict[str, str]) -> None:
    failure = types_pb2.Failure(code=code, reason=reason, message="m", details=values)
    assert isinstance(failure_from_wire(failure), RouterError)
