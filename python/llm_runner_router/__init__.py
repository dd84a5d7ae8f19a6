"""LLM Runner Router: run GGUF models and route requests to them.

The names below are loaded when they are first used, so that importing the stubs in
``llm_runner_router.v1`` brings in neither the engine nor anything else.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from llm_runner_router.version import VERSION

if TYPE_CHECKING:
    from llm_runner_router.backend import (
        Backend,
        CallContext,
    )
    from llm_runner_router.config import (
        Config,
    )
    from llm_runner_router.conversation_messages import (
        Append,
        Cancel,
        Credits,
        Failure,
        SessionEvent,
        Start,
    )
    from llm_runner_router.decision import (
        Attempt,
        CacheState,
        Decision,
        Exclusion,
        ScoredCandidate,
    )
    from llm_runner_router.ensembles import (
        Aggregation,
        EnsembleRequest,
        EnsembleResponse,
        Member,
        MemberResult,
    )
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
    from llm_runner_router.preferences import (
        CacheControl,
        CacheMode,
        Priority,
        Requirements,
        Routing,
        Strategy,
        TemplateUse,
    )
    from llm_runner_router.registry.records import (
        Alias,
        AliasRule,
        AliasTarget,
        Endpoint,
        LoadProgress,
        ModelConfig,
        ModelDetails,
        ModelPage,
        ModelRecord,
        ModelView,
        Pricing,
        PromptTemplate,
        UsageQuery,
        UsageRow,
    )
    from llm_runner_router.router import (
        LLMRouter,
    )
    from llm_runner_router.session import (
        ClientSession,
    )
    from llm_runner_router.tools import (
        FormatKind,
        ResponseFormat,
        Tool,
        ToolCall,
        ToolCallDelta,
        ToolChoice,
        ToolMode,
    )
    from llm_runner_router.types import (
        CacheCounts,
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
    "backend": (
        "Backend",
        "CallContext",
    ),
    "config": ("Config",),
    "conversation_messages": (
        "Append",
        "Cancel",
        "Credits",
        "Failure",
        "SessionEvent",
        "Start",
    ),
    "decision": (
        "Attempt",
        "CacheState",
        "Decision",
        "Exclusion",
        "ScoredCandidate",
    ),
    "ensembles": (
        "Aggregation",
        "EnsembleRequest",
        "EnsembleResponse",
        "Member",
        "MemberResult",
    ),
    "errors": (
        "AlreadyExistsError",
        "BudgetError",
        "ContextLengthError",
        "EngineError",
        "InvalidConfigError",
        "InvalidRequestError",
        "ModelBusyError",
        "ModelFileError",
        "ModelNotFoundError",
        "NoCandidateError",
        "OverloadedError",
        "ProviderFailedError",
        "ProviderRejectedError",
        "RateLimitError",
        "RequestNotFoundError",
        "ResourceNotFoundError",
        "RouterError",
        "TimeLimitError",
        "UnavailableError",
        "UnsupportedError",
    ),
    "preferences": (
        "CacheControl",
        "CacheMode",
        "Priority",
        "Requirements",
        "Routing",
        "Strategy",
        "TemplateUse",
    ),
    "registry.records": (
        "Alias",
        "AliasRule",
        "AliasTarget",
        "Endpoint",
        "LoadProgress",
        "ModelConfig",
        "ModelDetails",
        "ModelPage",
        "ModelRecord",
        "ModelView",
        "Pricing",
        "PromptTemplate",
        "UsageQuery",
        "UsageRow",
    ),
    "router": ("LLMRouter",),
    "session": ("ClientSession",),
    "tools": (
        "FormatKind",
        "ResponseFormat",
        "Tool",
        "ToolCall",
        "ToolCallDelta",
        "ToolChoice",
        "ToolMode",
    ),
    "types": (
        "CacheCounts",
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
    "Aggregation",
    "Alias",
    "AliasRule",
    "AliasTarget",
    "AlreadyExistsError",
    "Append",
    "Attempt",
    "Backend",
    "BudgetError",
    "CacheControl",
    "CacheCounts",
    "CacheMode",
    "CacheState",
    "CallContext",
    "Cancel",
    "Chunk",
    "ClientSession",
    "Complete",
    "Config",
    "ContextLengthError",
    "Credits",
    "Decision",
    "Endpoint",
    "EngineError",
    "EnsembleRequest",
    "EnsembleResponse",
    "Event",
    "Exclusion",
    "Failure",
    "FinishReason",
    "FormatKind",
    "HealthReport",
    "InvalidConfigError",
    "InvalidRequestError",
    "LLMRouter",
    "LoadProgress",
    "Member",
    "MemberResult",
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
    "NoCandidateError",
    "OverloadedError",
    "Pricing",
    "Priority",
    "PromptTemplate",
    "ProviderFailedError",
    "ProviderRejectedError",
    "RateLimitError",
    "Request",
    "RequestNotFoundError",
    "Requirements",
    "ResourceNotFoundError",
    "Response",
    "ResponseFormat",
    "Role",
    "RouterError",
    "Routing",
    "ScoredCandidate",
    "SessionEvent",
    "Start",
    "Started",
    "Status",
    "Strategy",
    "TemplateUse",
    "TimeLimitError",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolChoice",
    "ToolMode",
    "TopLogprob",
    "UnavailableError",
    "UnsupportedError",
    "UsageQuery",
    "UsageRow",
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
