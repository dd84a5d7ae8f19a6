"""The two tables of errors: which gRPC code each kind has, and which kind each reason means."""

from __future__ import annotations

from collections.abc import Mapping

from grpc import StatusCode

from llm_runner_router.errors import (
    AlreadyExistsError,
    BudgetError,
    ConflictError,
    ContextLengthError,
    EngineError,
    FieldError,
    InvalidConfigError,
    InvalidRequestError,
    MigrationError,
    ModelBusyError,
    ModelFileError,
    ModelNotFoundError,
    ModelNotPulledError,
    NoCandidateError,
    OverloadedError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RequestNotFoundError,
    ResourceNotFoundError,
    ResumeTokenError,
    RouterError,
    SourceError,
    TimeLimitError,
    UnavailableError,
    UnsupportedError,
)

CODES: Mapping[type[RouterError], StatusCode] = {
    AlreadyExistsError: StatusCode.ALREADY_EXISTS,
    ConflictError: StatusCode.ABORTED,
    ContextLengthError: StatusCode.INVALID_ARGUMENT,
    EngineError: StatusCode.INTERNAL,
    FieldError: StatusCode.INVALID_ARGUMENT,
    InvalidConfigError: StatusCode.INVALID_ARGUMENT,
    InvalidRequestError: StatusCode.INVALID_ARGUMENT,
    MigrationError: StatusCode.FAILED_PRECONDITION,
    ModelBusyError: StatusCode.FAILED_PRECONDITION,
    ModelFileError: StatusCode.FAILED_PRECONDITION,
    ModelNotFoundError: StatusCode.NOT_FOUND,
    ModelNotPulledError: StatusCode.FAILED_PRECONDITION,
    BudgetError: StatusCode.RESOURCE_EXHAUSTED,
    NoCandidateError: StatusCode.FAILED_PRECONDITION,
    OverloadedError: StatusCode.RESOURCE_EXHAUSTED,
    ProviderFailedError: StatusCode.UNAVAILABLE,
    ProviderRejectedError: StatusCode.FAILED_PRECONDITION,
    RateLimitError: StatusCode.RESOURCE_EXHAUSTED,
    RequestNotFoundError: StatusCode.NOT_FOUND,
    ResourceNotFoundError: StatusCode.NOT_FOUND,
    ResumeTokenError: StatusCode.OUT_OF_RANGE,
    SourceError: StatusCode.FAILED_PRECONDITION,
    TimeLimitError: StatusCode.DEADLINE_EXCEEDED,
    UnavailableError: StatusCode.UNAVAILABLE,
    UnsupportedError: StatusCode.UNIMPLEMENTED,
    RouterError: StatusCode.INTERNAL,
}

DEFAULTS: Mapping[StatusCode, type[RouterError]] = {
    StatusCode.ABORTED: ConflictError,
    StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    StatusCode.CANCELLED: UnavailableError,
    StatusCode.DEADLINE_EXCEEDED: TimeLimitError,
    StatusCode.FAILED_PRECONDITION: ModelFileError,
    StatusCode.INTERNAL: EngineError,
    StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    StatusCode.NOT_FOUND: ModelNotFoundError,
    StatusCode.OUT_OF_RANGE: InvalidRequestError,
    StatusCode.RESOURCE_EXHAUSTED: OverloadedError,
    StatusCode.UNAVAILABLE: UnavailableError,
    StatusCode.UNIMPLEMENTED: UnsupportedError,
}
"""What a code means where the peer gives no reason, or one that is not known here."""

REASONS: Mapping[str, type[RouterError]] = {
    "ALREADY_EXISTS": AlreadyExistsError,
    "BUDGET_EXCEEDED": BudgetError,
    "CIRCUIT_OPEN": UnavailableError,
    "CONFLICT": ConflictError,
    "CONTEXT_LENGTH_EXCEEDED": ContextLengthError,
    "DISK_FULL": OverloadedError,
    "DRAINING": UnavailableError,
    "ENGINE_FAILED": EngineError,
    "INTERNAL": RouterError,
    "INVALID_CONFIG": InvalidConfigError,
    "INVALID_REQUEST": InvalidRequestError,
    "MEMORY": OverloadedError,
    "MIGRATION_FAILED": MigrationError,
    "MODEL_BUSY": ModelBusyError,
    "MODEL_FILE_INVALID": ModelFileError,
    "MODEL_NOT_FOUND": ModelNotFoundError,
    "MODEL_NOT_PULLED": ModelNotPulledError,
    "NO_CANDIDATE": NoCandidateError,
    "OVERLOADED": OverloadedError,
    "PROVIDER_FAILED": ProviderFailedError,
    "PROVIDER_REJECTED": ProviderRejectedError,
    "RATE_LIMITED": RateLimitError,
    "REQUEST_NOT_FOUND": RequestNotFoundError,
    "RESOURCE_NOT_FOUND": ResourceNotFoundError,
    "RESUME_TOKEN_EXPIRED": ResumeTokenError,
    "SOURCE_REJECTED": SourceError,
    "TIME_LIMIT": TimeLimitError,
    "UNAVAILABLE": UnavailableError,
    "UNKNOWN_CONFIG_KEY": InvalidConfigError,
    "UNSUPPORTED": UnsupportedError,
}
"""Every reason that this version sends. Stable: clients compare them."""


def code_of(error: RouterError) -> StatusCode:
    """The gRPC code of an error: that of the nearest class in CODES."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def kind_of(code: StatusCode, reason: str) -> type[RouterError]:
    """The class of an error that a peer reports; the code decides where they disagree."""
    kind = REASONS.get(reason)
    if kind is not None and CODES[kind] is code:
        return kind
    return DEFAULTS.get(code, RouterError)
