from __future__ import annotations

import pytest

from llm_runner_router.errors import (
    EngineError,
    InvalidRequestError,
    ModelFileError,
    OverloadedError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.providers.core_errors import load_error, request_error


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("INVALID_ARGUMENT", "GGUF_INVALID", ModelFileError),
        ("NOT_FOUND", "FILE_NOT_FOUND", ModelFileError),
        ("FAILED_PRECONDITION", "GGUF_TRUNCATED", ModelFileError),
        ("UNIMPLEMENTED", "MODEL_UNSUPPORTED", ModelFileError),
        ("DATA_LOSS", "MODEL_FILE_TRUNCATED", ModelFileError),
        ("RESOURCE_EXHAUSTED", "OUT_OF_MEMORY", OverloadedError),
        ("INTERNAL", "BACKEND_FAILED", EngineError),
        ("FAILED_PRECONDITION", "CANCELLED", UnavailableError),
    ],
)
def test_loading(code: str, reason: str, kind: type[RouterError]) -> None:
    error = load_error(code, reason, "why")
    assert type(error) is kind
    assert error.message == "why"


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        ("INVALID_ARGUMENT", "INVALID_TOKEN", InvalidRequestError),
        ("RESOURCE_EXHAUSTED", "KV_TOO_SMALL", InvalidRequestError),
        ("RESOURCE_EXHAUSTED", "OTHER", OverloadedError),
        ("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED", TimeLimitError),
        ("FAILED_PRECONDITION", "ENGINE_CLOSED", UnavailableError),
        ("FAILED_PRECONDITION", "MODEL_NUMERICS", ModelFileError),
        ("DATA_LOSS", "MODEL_FILE_TRUNCATED", ModelFileError),
        ("INTERNAL", "X", EngineError),
        ("SOMETHING_NEW", "X", EngineError),
    ],
)
def test_requests(code: str, reason: str, kind: type[RouterError]) -> None:
    error = request_error(code, reason, "why")
    assert type(error) is kind
    assert str(error) == error.message == "why"
