"""LLM Runner Router: run GGUF models and route requests to them.

The names below are loaded when they are first used, so that importing the stubs in
``llm_runner_router.v1`` brings in neither the engine nor anything else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from llm_runner_router.version import VERSION

if TYPE_CHECKING:
    from llm_runner_router.backend import Backend, CallContext
    from llm_runner_router.config import Config
    from llm_runner_router.conversation_messages import (
        Append,
        Cancel,
        Credits,
        Failure,
        SessionEvent,
        Start,
    )
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
    from llm_runner_router.registry.records import (
        LoadProgress,
        ModelConfig,
        ModelDetails,
        ModelPage,
        ModelRecord,
        ModelView,
    )
    from llm_runner_router.router import LLMRouter
    from llm_runner_router.session import ClientSession
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

__version__ = VERSION

HOMES = {
    "backend": ("Backend", "CallContext"),
    "config": ("Config",),
    "conversation_messages": (
        "Append",
        "Cancel",
        "Credits",
        "Failure",
        "SessionEvent",
        "Start",
    ),
    "errors": (
        "AlreadyExistsError",
        "ContextLengthError",
        "EngineError",
        "InvalidConfigError",
        "InvalidRequestError",
        "ModelBusyError",
        "ModelFileError",
        "ModelNotFoundError",
        "OverloadedError",
        "RequestNotFoundError",
        "RouterError",
        "TimeLimitError",
        "UnavailableError",
        "UnsupportedError",
    ),
    "registry.records": (
        "LoadProgress",
        "ModelConfig",
        "ModelDetails",
        "ModelPage",
        "ModelRecord",
        "ModelView",
    ),
    "router": ("LLMRouter",),
    "session": ("ClientSession",),
    "types": (
        "Chunk",
        "Complete",
        "Event",
        "FinishReason",
        "HealthReport",
        "Message",
        "Metrics",
        "ModelFormat",
        "Request",
        "Response",
        "Role",
        "Started",
        "Status",
        "TokenLogprob",
        "TopLogprob",
    ),
}
"""The module of each public name."""

MODULES = {name: module for module, names in HOMES.items() for name in names}

__all__ = [
    "AlreadyExistsError",
    "Append",
    "Backend",
    "CallContext",
    "Cancel",
    "Chunk",
    "ClientSession",
    "Complete",
    "Config",
    "ContextLengthError",
    "Credits",
    "EngineError",
    "Event",
    "Failure",
    "FinishReason",
    "HealthReport",
    "InvalidConfigError",
    "InvalidRequestError",
    "LLMRouter",
    "LoadProgress",
    "Message",
    "Metrics",
    "ModelBusyError",
    "ModelConfig",
    "ModelDetails",
    "ModelFileError",
    "ModelFormat",
    "ModelNotFoundError",
    "ModelPage",
    "ModelRecord",
    "ModelView",
    "OverloadedError",
    "Request",
    "RequestNotFoundError",
    "Response",
    "Role",
    "RouterError",
    "SessionEvent",
    "Start",
    "Started",
    "Status",
    "TimeLimitError",
    "TokenLogprob",
    "TopLogprob",
    "UnavailableError",
    "UnsupportedError",
    "__version__",
]


def __getattr__(name: str) -> object:
    module = MODULES.get(name)
    if module is None:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    value: object = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
