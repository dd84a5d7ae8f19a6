"""Every error that a caller can meet, made here and translated to gRPC in ``wire/status.py``.

::

    RouterError
    ├── InvalidRequestError      a field of the request is wrong      INVALID_ARGUMENT
    │   └── ContextLengthError   prompt longer than the context       INVALID_ARGUMENT
    ├── InvalidConfigError       a configuration value is wrong       INVALID_ARGUMENT
    ├── ModelNotFoundError       no such model                        NOT_FOUND
    ├── ResourceNotFoundError    no such alias, template or answer    NOT_FOUND
    ├── RequestNotFoundError     no such request on this stream       NOT_FOUND
    ├── AlreadyExistsError       the id is taken                      ALREADY_EXISTS
    ├── ModelFileError           the file cannot be run               FAILED_PRECONDITION
    │   └── ModelNotPulledError  it was not downloaded yet            FAILED_PRECONDITION
    ├── SourceError              the place of a model refuses it      FAILED_PRECONDITION
    ├── ModelBusyError           the model's state forbids it now     FAILED_PRECONDITION
    ├── MigrationError           a folder cannot be migrated or back  FAILED_PRECONDITION
    ├── ConflictError            changed by somebody else meanwhile   ABORTED
    ├── ResumeTokenError         the changes since are forgotten      OUT_OF_RANGE
    ├── NoCandidateError         no model meets the requirements      FAILED_PRECONDITION
    ├── ProviderRejectedError    the provider refuses the service     FAILED_PRECONDITION
    ├── UnsupportedError         valid, but not offered               UNIMPLEMENTED
    ├── OverloadedError          queue or memory is full              RESOURCE_EXHAUSTED
    │   ├── RateLimitError       a caller's or provider's rate limit  RESOURCE_EXHAUSTED
    │   └── BudgetError          a budget is used up                  RESOURCE_EXHAUSTED
    ├── TimeLimitError           a time limit passed                  DEADLINE_EXCEEDED
    ├── UnavailableError         draining, or the peer is away        UNAVAILABLE
    │   └── ProviderFailedError  the provider failed or broke off     UNAVAILABLE
    └── EngineError              the engine failed                    INTERNAL

``reason`` is stable and part of the API; the message is for people and may change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Self

from llm_runner_router.hidden import HIDDEN

if TYPE_CHECKING:
    from llm_runner_router.decision import Attempt


class RouterError(Exception):
    """Base of all. ``reason`` is an UPPER_SNAKE word that clients may compare.

    ``attempts`` are those of the request that failed, where it got as far as trying a model.
    """

    reason = "INTERNAL"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.attempts: Sequence[Attempt] = ()
        if reason is not None:
            self.reason = reason


class FieldError(RouterError):
    """An error that one field of the input is to blame for."""

    def __init__(
        self, field: str, value: object, allowed: str, *, reason: str | None = None
    ) -> None:
        message = f"{field}: {shorten(value)} is not allowed; allowed: {allowed}"
        super().__init__(message, reason=reason)
        self.field = field
        self.value = value
        self.allowed = allowed

    @classmethod
    def unknown(cls, field: str, allowed: str, *, reason: str | None = None) -> Self:
        """A field that there is not. Its value, which may be a key for others, is not shown."""
        return cls(field, HIDDEN, allowed, reason=reason)


class InvalidRequestError(FieldError):
    """A field of the request is wrong."""

    reason = "INVALID_REQUEST"


class ContextLengthError(RouterError):
    """The prompt does not fit the model's context."""

    reason = "CONTEXT_LENGTH_EXCEEDED"

    def __init__(self, prompt_tokens: int, context_length: int) -> None:
        super().__init__(
            f"prompt: {prompt_tokens} tokens do not fit the context of {context_length} tokens "
            "(at least one must be left for the answer)"
        )
        self.prompt_tokens = prompt_tokens
        self.context_length = context_length


class InvalidConfigError(FieldError):
    """A configuration value is wrong; the service does not start, or keeps its old one."""

    reason = "INVALID_CONFIG"


class ModelNotFoundError(RouterError):
    """No model of that id is registered; an empty id: none at all.

    ``missing`` says what is missing instead, where it is not the model itself.
    """

    reason = "MODEL_NOT_FOUND"

    def __init__(self, model: str, missing: str = "") -> None:
        usual = f"model {shorten(model)} is not registered" if model else "no model is registered"
        super().__init__(missing or usual)
        self.model = model


class RequestNotFoundError(RouterError):
    """The request id is unknown on this stream."""

    reason = "REQUEST_NOT_FOUND"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"request {shorten(request_id)} is unknown on this stream")
        self.request_id = request_id


class AlreadyExistsError(RouterError):
    """The id is taken."""

    reason = "ALREADY_EXISTS"


class ModelFileError(RouterError):
    """The model's file is missing, damaged, dishonest or of a kind that cannot be run."""

    reason = "MODEL_FILE_INVALID"


class ModelNotPulledError(ModelFileError):
    """The model lives elsewhere and was not downloaded yet."""

    reason = "MODEL_NOT_PULLED"

    def __init__(self, source: str, *, reason: str | None = None) -> None:
        message = f"model source {shorten(source, 200)} was not pulled yet"
        super().__init__(f"{message}: pull it, or set models.autoDownload", reason=reason)


class SourceError(RouterError):
    """The place that a model is pulled from lacks it, refuses it, or gives something else."""

    reason = "SOURCE_REJECTED"


class ModelBusyError(RouterError):
    """The model's present state forbids the operation."""

    reason = "MODEL_BUSY"


class MigrationError(RouterError):
    """A migration, or the way back, cannot be made; the folder is as the message says."""

    reason = "MIGRATION_FAILED"


class ConflictError(RouterError):
    """The etag is not the present one: somebody else has changed the thing meanwhile."""

    reason = "CONFLICT"


class ResumeTokenError(RouterError):
    """The changes since a resume token are not remembered any more: begin anew without one."""

    reason = "RESUME_TOKEN_EXPIRED"


class ResourceNotFoundError(RouterError):
    """No alias, template or answer of that id; ``kind`` is the word for what is missing."""

    reason = "RESOURCE_NOT_FOUND"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} {shorten(name)} is unknown")
        self.kind = kind
        self.name = name


class NoCandidateError(RouterError):
    """No model that may answer meets the requirements; ``excluded`` says why, model by model."""

    reason = "NO_CANDIDATE"

    def __init__(self, excluded: Mapping[str, str]) -> None:
        listed = "; ".join(f"{model}: {why}" for model, why in list(excluded.items())[:8])
        more = " …" if len(excluded) > 8 else ""
        super().__init__(f"no model meets the requirements ({listed or 'none is known'}{more})")
        self.excluded = dict(excluded)


class ProviderRejectedError(RouterError):
    """The provider refuses the service's key, account or model. An operator must mend that."""

    reason = "PROVIDER_REJECTED"


class UnsupportedError(RouterError):
    """A valid wish that this version does not offer."""

    reason = "UNSUPPORTED"


class OverloadedError(RouterError):
    """The queue or the memory is full; ``retry_after`` seconds is a hint."""

    reason = "OVERLOADED"

    def __init__(self, message: str, *, retry_after: float, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.retry_after = retry_after


class RateLimitError(OverloadedError):
    """A rate limit of a caller or of a provider is reached."""

    reason = "RATE_LIMITED"


class BudgetError(OverloadedError):
    """A budget is used up; ``subject`` says whose, such as ``caller alice, day``."""

    reason = "BUDGET_EXCEEDED"

    def __init__(
        self, subject: str, *, limit_usd: float, spent_usd: float, retry_after: float
    ) -> None:
        message = f"the budget of {subject} is used up: {spent_usd:.6f} of {limit_usd:g} USD"
        super().__init__(message, retry_after=retry_after)
        self.subject = subject
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd


class TimeLimitError(RouterError):
    """A deadline or the limit between two tokens passed."""

    reason = "TIME_LIMIT"


class UnavailableError(RouterError):
    """The service drains, or a remote one cannot be reached. Safe to try elsewhere."""

    reason = "UNAVAILABLE"


class ProviderFailedError(UnavailableError):
    """The provider answered with a fault of its own, with nonsense, or broke off."""

    reason = "PROVIDER_FAILED"


class EngineError(RouterError):
    """The engine failed in a way that the caller is not to blame for."""

    reason = "ENGINE_FAILED"


def shorten(value: object, limit: int = 80) -> str:
    """The repr of a hostile value, short enough for a message; a word as it is written."""
    try:
        text = repr(value.value if isinstance(value, StrEnum) else value)
    except ValueError:  # an integer of thousands of digits
        text = f"<{type(value).__name__}>"
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
