from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from llm_runner_router.v1 import types_pb2 as _types_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Aggregation(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AGGREGATION_UNSPECIFIED: _ClassVar[Aggregation]
    AGGREGATION_FIRST: _ClassVar[Aggregation]
    AGGREGATION_MAJORITY: _ClassVar[Aggregation]
    AGGREGATION_WEIGHTED: _ClassVar[Aggregation]
    AGGREGATION_BEST_OF: _ClassVar[Aggregation]
AGGREGATION_UNSPECIFIED: Aggregation
AGGREGATION_FIRST: Aggregation
AGGREGATION_MAJORITY: Aggregation
AGGREGATION_WEIGHTED: Aggregation
AGGREGATION_BEST_OF: Aggregation

class ProcessRequest(_message.Message):
    __slots__ = ("prompt", "raw", "messages", "model", "max_tokens", "temperature", "top_p", "top_k", "min_p", "seed", "stop", "repeat_penalty", "frequency_penalty", "presence_penalty", "logprobs", "prompt_logprobs", "logit_bias", "ignore_eos", "metadata", "tools", "tool_choice", "response_format", "provider_options", "routing", "cache", "priority", "template")
    class LogitBiasEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: float
        def __init__(self, key: _Optional[int] = ..., value: _Optional[float] = ...) -> None: ...
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    RAW_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    MIN_P_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    REPEAT_PENALTY_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_PENALTY_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_PENALTY_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    LOGIT_BIAS_FIELD_NUMBER: _ClassVar[int]
    IGNORE_EOS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CHOICE_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_OPTIONS_FIELD_NUMBER: _ClassVar[int]
    ROUTING_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    prompt: str
    raw: bool
    messages: _containers.RepeatedCompositeFieldContainer[_types_pb2.Message]
    model: str
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    min_p: float
    seed: int
    stop: _containers.RepeatedScalarFieldContainer[str]
    repeat_penalty: float
    frequency_penalty: float
    presence_penalty: float
    logprobs: int
    prompt_logprobs: int
    logit_bias: _containers.ScalarMap[int, float]
    ignore_eos: bool
    metadata: _containers.ScalarMap[str, str]
    tools: _containers.RepeatedCompositeFieldContainer[_types_pb2.Tool]
    tool_choice: _types_pb2.ToolChoice
    response_format: _types_pb2.ResponseFormat
    provider_options: _struct_pb2.Struct
    routing: Routing
    cache: CacheControl
    priority: _types_pb2.Priority
    template: TemplateUse
    def __init__(self, prompt: _Optional[str] = ..., raw: _Optional[bool] = ..., messages: _Optional[_Iterable[_Union[_types_pb2.Message, _Mapping]]] = ..., model: _Optional[str] = ..., max_tokens: _Optional[int] = ..., temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[int] = ..., min_p: _Optional[float] = ..., seed: _Optional[int] = ..., stop: _Optional[_Iterable[str]] = ..., repeat_penalty: _Optional[float] = ..., frequency_penalty: _Optional[float] = ..., presence_penalty: _Optional[float] = ..., logprobs: _Optional[int] = ..., prompt_logprobs: _Optional[int] = ..., logit_bias: _Optional[_Mapping[int, float]] = ..., ignore_eos: _Optional[bool] = ..., metadata: _Optional[_Mapping[str, str]] = ..., tools: _Optional[_Iterable[_Union[_types_pb2.Tool, _Mapping]]] = ..., tool_choice: _Optional[_Union[_types_pb2.ToolChoice, _Mapping]] = ..., response_format: _Optional[_Union[_types_pb2.ResponseFormat, _Mapping]] = ..., provider_options: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ..., routing: _Optional[_Union[Routing, _Mapping]] = ..., cache: _Optional[_Union[CacheControl, _Mapping]] = ..., priority: _Optional[_Union[_types_pb2.Priority, str]] = ..., template: _Optional[_Union[TemplateUse, _Mapping]] = ...) -> None: ...

class Routing(_message.Message):
    __slots__ = ("strategy", "requirements", "fallbacks", "fallback_to_capable", "max_attempts", "first_token_timeout_ms", "hedge", "affinity")
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENTS_FIELD_NUMBER: _ClassVar[int]
    FALLBACKS_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_TO_CAPABLE_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    HEDGE_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_FIELD_NUMBER: _ClassVar[int]
    strategy: _types_pb2.Strategy
    requirements: Requirements
    fallbacks: _containers.RepeatedScalarFieldContainer[str]
    fallback_to_capable: bool
    max_attempts: int
    first_token_timeout_ms: float
    hedge: bool
    affinity: str
    def __init__(self, strategy: _Optional[_Union[_types_pb2.Strategy, str]] = ..., requirements: _Optional[_Union[Requirements, _Mapping]] = ..., fallbacks: _Optional[_Iterable[str]] = ..., fallback_to_capable: _Optional[bool] = ..., max_attempts: _Optional[int] = ..., first_token_timeout_ms: _Optional[float] = ..., hedge: _Optional[bool] = ..., affinity: _Optional[str] = ...) -> None: ...

class Requirements(_message.Message):
    __slots__ = ("capabilities", "context_length", "max_cost_usd", "max_latency_ms", "min_quality", "local_only")
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    MAX_COST_USD_FIELD_NUMBER: _ClassVar[int]
    MAX_LATENCY_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_QUALITY_FIELD_NUMBER: _ClassVar[int]
    LOCAL_ONLY_FIELD_NUMBER: _ClassVar[int]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    context_length: int
    max_cost_usd: float
    max_latency_ms: float
    min_quality: float
    local_only: bool
    def __init__(self, capabilities: _Optional[_Iterable[str]] = ..., context_length: _Optional[int] = ..., max_cost_usd: _Optional[float] = ..., max_latency_ms: _Optional[float] = ..., min_quality: _Optional[float] = ..., local_only: _Optional[bool] = ...) -> None: ...

class CacheControl(_message.Message):
    __slots__ = ("mode", "any_sampling", "ttl_seconds")
    MODE_FIELD_NUMBER: _ClassVar[int]
    ANY_SAMPLING_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    mode: _types_pb2.CacheMode
    any_sampling: bool
    ttl_seconds: int
    def __init__(self, mode: _Optional[_Union[_types_pb2.CacheMode, str]] = ..., any_sampling: _Optional[bool] = ..., ttl_seconds: _Optional[int] = ...) -> None: ...

class TemplateUse(_message.Message):
    __slots__ = ("id", "variables")
    class VariablesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_FIELD_NUMBER: _ClassVar[int]
    id: str
    variables: _containers.ScalarMap[str, str]
    def __init__(self, id: _Optional[str] = ..., variables: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ProcessResponse(_message.Message):
    __slots__ = ("response", "model_used", "finish_reason", "metrics", "logprobs", "prompt_logprobs", "token_ids", "request_id", "tool_calls", "decision", "attempts", "cache")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    MODEL_USED_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    response: str
    model_used: str
    finish_reason: _types_pb2.FinishReason
    metrics: _types_pb2.Metrics
    logprobs: _containers.RepeatedCompositeFieldContainer[_types_pb2.TokenLogprob]
    prompt_logprobs: _containers.RepeatedCompositeFieldContainer[_types_pb2.TokenLogprob]
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    request_id: str
    tool_calls: _containers.RepeatedCompositeFieldContainer[_types_pb2.ToolCall]
    decision: _types_pb2.Decision
    attempts: _containers.RepeatedCompositeFieldContainer[_types_pb2.Attempt]
    cache: _types_pb2.CacheState
    def __init__(self, response: _Optional[str] = ..., model_used: _Optional[str] = ..., finish_reason: _Optional[_Union[_types_pb2.FinishReason, str]] = ..., metrics: _Optional[_Union[_types_pb2.Metrics, _Mapping]] = ..., logprobs: _Optional[_Iterable[_Union[_types_pb2.TokenLogprob, _Mapping]]] = ..., prompt_logprobs: _Optional[_Iterable[_Union[_types_pb2.TokenLogprob, _Mapping]]] = ..., token_ids: _Optional[_Iterable[int]] = ..., request_id: _Optional[str] = ..., tool_calls: _Optional[_Iterable[_Union[_types_pb2.ToolCall, _Mapping]]] = ..., decision: _Optional[_Union[_types_pb2.Decision, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[_types_pb2.Attempt, _Mapping]]] = ..., cache: _Optional[_Union[_types_pb2.CacheState, str]] = ...) -> None: ...

class ProcessStreamResponse(_message.Message):
    __slots__ = ("started", "chunk", "complete")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    started: Started
    chunk: Chunk
    complete: Complete
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., chunk: _Optional[_Union[Chunk, _Mapping]] = ..., complete: _Optional[_Union[Complete, _Mapping]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("request_id", "model", "prompt_logprobs", "decision", "answer_id")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    ANSWER_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    model: str
    prompt_logprobs: _containers.RepeatedCompositeFieldContainer[_types_pb2.TokenLogprob]
    decision: _types_pb2.Decision
    answer_id: str
    def __init__(self, request_id: _Optional[str] = ..., model: _Optional[str] = ..., prompt_logprobs: _Optional[_Iterable[_Union[_types_pb2.TokenLogprob, _Mapping]]] = ..., decision: _Optional[_Union[_types_pb2.Decision, _Mapping]] = ..., answer_id: _Optional[str] = ...) -> None: ...

class Chunk(_message.Message):
    __slots__ = ("text", "token_ids", "logprobs", "sequence", "tool_calls")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    text: str
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    logprobs: _containers.RepeatedCompositeFieldContainer[_types_pb2.TokenLogprob]
    sequence: int
    tool_calls: _containers.RepeatedCompositeFieldContainer[_types_pb2.ToolCallDelta]
    def __init__(self, text: _Optional[str] = ..., token_ids: _Optional[_Iterable[int]] = ..., logprobs: _Optional[_Iterable[_Union[_types_pb2.TokenLogprob, _Mapping]]] = ..., sequence: _Optional[int] = ..., tool_calls: _Optional[_Iterable[_Union[_types_pb2.ToolCallDelta, _Mapping]]] = ...) -> None: ...

class Complete(_message.Message):
    __slots__ = ("finish_reason", "model_used", "metrics", "attempts", "cache")
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    MODEL_USED_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    finish_reason: _types_pb2.FinishReason
    model_used: str
    metrics: _types_pb2.Metrics
    attempts: _containers.RepeatedCompositeFieldContainer[_types_pb2.Attempt]
    cache: _types_pb2.CacheState
    def __init__(self, finish_reason: _Optional[_Union[_types_pb2.FinishReason, str]] = ..., model_used: _Optional[str] = ..., metrics: _Optional[_Union[_types_pb2.Metrics, _Mapping]] = ..., attempts: _Optional[_Iterable[_Union[_types_pb2.Attempt, _Mapping]]] = ..., cache: _Optional[_Union[_types_pb2.CacheState, str]] = ...) -> None: ...

class ProcessBatchRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[ProcessRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[ProcessRequest, _Mapping]]] = ...) -> None: ...

class ProcessBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[ProcessBatchResult]
    def __init__(self, results: _Optional[_Iterable[_Union[ProcessBatchResult, _Mapping]]] = ...) -> None: ...

class ProcessBatchResult(_message.Message):
    __slots__ = ("response", "failure")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    response: ProcessResponse
    failure: _types_pb2.Failure
    def __init__(self, response: _Optional[_Union[ProcessResponse, _Mapping]] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ...) -> None: ...

class ConverseRequest(_message.Message):
    __slots__ = ("start", "append", "cancel", "credits")
    START_FIELD_NUMBER: _ClassVar[int]
    APPEND_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    start: Start
    append: Append
    cancel: Cancel
    credits: Credits
    def __init__(self, start: _Optional[_Union[Start, _Mapping]] = ..., append: _Optional[_Union[Append, _Mapping]] = ..., cancel: _Optional[_Union[Cancel, _Mapping]] = ..., credits: _Optional[_Union[Credits, _Mapping]] = ...) -> None: ...

class Start(_message.Message):
    __slots__ = ("request_id", "request")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    request: ProcessRequest
    def __init__(self, request_id: _Optional[str] = ..., request: _Optional[_Union[ProcessRequest, _Mapping]] = ...) -> None: ...

class Append(_message.Message):
    __slots__ = ("request_id", "messages")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    messages: _containers.RepeatedCompositeFieldContainer[_types_pb2.Message]
    def __init__(self, request_id: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_types_pb2.Message, _Mapping]]] = ...) -> None: ...

class Cancel(_message.Message):
    __slots__ = ("request_id",)
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    def __init__(self, request_id: _Optional[str] = ...) -> None: ...

class Credits(_message.Message):
    __slots__ = ("request_id", "chunks")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHUNKS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    chunks: int
    def __init__(self, request_id: _Optional[str] = ..., chunks: _Optional[int] = ...) -> None: ...

class ConverseResponse(_message.Message):
    __slots__ = ("request_id", "started", "chunk", "complete", "failure")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    started: Started
    chunk: Chunk
    complete: Complete
    failure: _types_pb2.Failure
    def __init__(self, request_id: _Optional[str] = ..., started: _Optional[_Union[Started, _Mapping]] = ..., chunk: _Optional[_Union[Chunk, _Mapping]] = ..., complete: _Optional[_Union[Complete, _Mapping]] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ...) -> None: ...

class ProcessEnsembleRequest(_message.Message):
    __slots__ = ("request", "members", "aggregation", "judge", "minimum")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    JUDGE_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_FIELD_NUMBER: _ClassVar[int]
    request: ProcessRequest
    members: _containers.RepeatedCompositeFieldContainer[EnsembleMember]
    aggregation: Aggregation
    judge: str
    minimum: int
    def __init__(self, request: _Optional[_Union[ProcessRequest, _Mapping]] = ..., members: _Optional[_Iterable[_Union[EnsembleMember, _Mapping]]] = ..., aggregation: _Optional[_Union[Aggregation, str]] = ..., judge: _Optional[str] = ..., minimum: _Optional[int] = ...) -> None: ...

class EnsembleMember(_message.Message):
    __slots__ = ("model", "weight")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    model: str
    weight: float
    def __init__(self, model: _Optional[str] = ..., weight: _Optional[float] = ...) -> None: ...

class ProcessEnsembleResponse(_message.Message):
    __slots__ = ("response", "members")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    response: ProcessResponse
    members: _containers.RepeatedCompositeFieldContainer[EnsembleResult]
    def __init__(self, response: _Optional[_Union[ProcessResponse, _Mapping]] = ..., members: _Optional[_Iterable[_Union[EnsembleResult, _Mapping]]] = ...) -> None: ...

class EnsembleResult(_message.Message):
    __slots__ = ("model", "response", "failure", "score")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    model: str
    response: ProcessResponse
    failure: _types_pb2.Failure
    score: float
    def __init__(self, model: _Optional[str] = ..., response: _Optional[_Union[ProcessResponse, _Mapping]] = ..., failure: _Optional[_Union[_types_pb2.Failure, _Mapping]] = ..., score: _Optional[float] = ...) -> None: ...

class RouteResponse(_message.Message):
    __slots__ = ("decision",)
    DECISION_FIELD_NUMBER: _ClassVar[int]
    decision: _types_pb2.Decision
    def __init__(self, decision: _Optional[_Union[_types_pb2.Decision, _Mapping]] = ...) -> None: ...

class FeedbackRequest(_message.Message):
    __slots__ = ("request_id", "score")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    score: float
    def __init__(self, request_id: _Optional[str] = ..., score: _Optional[float] = ...) -> None: ...

class FeedbackResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetUsageRequest(_message.Message):
    __slots__ = ("first_day", "last_day", "caller", "model")
    FIRST_DAY_FIELD_NUMBER: _ClassVar[int]
    LAST_DAY_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    first_day: str
    last_day: str
    caller: str
    model: str
    def __init__(self, first_day: _Optional[str] = ..., last_day: _Optional[str] = ..., caller: _Optional[str] = ..., model: _Optional[str] = ...) -> None: ...

class GetUsageResponse(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[UsageRow]
    def __init__(self, rows: _Optional[_Iterable[_Union[UsageRow, _Mapping]]] = ...) -> None: ...

class UsageRow(_message.Message):
    __slots__ = ("day", "caller", "model", "requests", "failures", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens", "cost_usd", "saved_cost_usd")
    DAY_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COMPLETION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COST_USD_FIELD_NUMBER: _ClassVar[int]
    SAVED_COST_USD_FIELD_NUMBER: _ClassVar[int]
    day: str
    caller: str
    model: str
    requests: int
    failures: int
    prompt_tokens: float
    cached_tokens: float
    completion_tokens: float
    reasoning_tokens: float
    cost_usd: float
    saved_cost_usd: float
    def __init__(self, day: _Optional[str] = ..., caller: _Optional[str] = ..., model: _Optional[str] = ..., requests: _Optional[int] = ..., failures: _Optional[int] = ..., prompt_tokens: _Optional[float] = ..., cached_tokens: _Optional[float] = ..., completion_tokens: _Optional[float] = ..., reasoning_tokens: _Optional[float] = ..., cost_usd: _Optional[float] = ..., saved_cost_usd: _Optional[float] = ...) -> None: ...

class TokenizeRequest(_message.Message):
    __slots__ = ("model", "text", "add_special", "parse_special")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ADD_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    PARSE_SPECIAL_FIELD_NUMBER: _ClassVar[int]
    model: str
    text: str
    add_special: bool
    parse_special: bool
    def __init__(self, model: _Optional[str] = ..., text: _Optional[str] = ..., add_special: _Optional[bool] = ..., parse_special: _Optional[bool] = ...) -> None: ...

class TokenizeResponse(_message.Message):
    __slots__ = ("token_ids",)
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, token_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class DetokenizeRequest(_message.Message):
    __slots__ = ("model", "token_ids")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TOKEN_IDS_FIELD_NUMBER: _ClassVar[int]
    model: str
    token_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, model: _Optional[str] = ..., token_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class DetokenizeResponse(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class Config(_message.Message):
    __slots__ = ("performance", "logging", "engine", "server", "models", "routing", "cache")
    PERFORMANCE_FIELD_NUMBER: _ClassVar[int]
    LOGGING_FIELD_NUMBER: _ClassVar[int]
    ENGINE_FIELD_NUMBER: _ClassVar[int]
    SERVER_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ROUTING_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    performance: PerformanceConfig
    logging: LoggingConfig
    engine: EngineConfig
    server: ServerConfig
    models: ModelsConfig
    routing: RoutingConfig
    cache: CacheConfig
    def __init__(self, performance: _Optional[_Union[PerformanceConfig, _Mapping]] = ..., logging: _Optional[_Union[LoggingConfig, _Mapping]] = ..., engine: _Optional[_Union[EngineConfig, _Mapping]] = ..., server: _Optional[_Union[ServerConfig, _Mapping]] = ..., models: _Optional[_Union[ModelsConfig, _Mapping]] = ..., routing: _Optional[_Union[RoutingConfig, _Mapping]] = ..., cache: _Optional[_Union[CacheConfig, _Mapping]] = ...) -> None: ...

class PerformanceConfig(_message.Message):
    __slots__ = ("max_concurrent", "max_queue", "timeout_ms")
    MAX_CONCURRENT_FIELD_NUMBER: _ClassVar[int]
    MAX_QUEUE_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    max_concurrent: int
    max_queue: int
    timeout_ms: float
    def __init__(self, max_concurrent: _Optional[int] = ..., max_queue: _Optional[int] = ..., timeout_ms: _Optional[float] = ...) -> None: ...

class LoggingConfig(_message.Message):
    __slots__ = ("level",)
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    level: str
    def __init__(self, level: _Optional[str] = ...) -> None: ...

class EngineConfig(_message.Message):
    __slots__ = ("threads", "kv_type", "kv_bytes", "batch_tokens", "block_size", "gpu_layers", "context_length")
    THREADS_FIELD_NUMBER: _ClassVar[int]
    KV_TYPE_FIELD_NUMBER: _ClassVar[int]
    KV_BYTES_FIELD_NUMBER: _ClassVar[int]
    BATCH_TOKENS_FIELD_NUMBER: _ClassVar[int]
    BLOCK_SIZE_FIELD_NUMBER: _ClassVar[int]
    GPU_LAYERS_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_LENGTH_FIELD_NUMBER: _ClassVar[int]
    threads: int
    kv_type: str
    kv_bytes: float
    batch_tokens: int
    block_size: int
    gpu_layers: int
    context_length: int
    def __init__(self, threads: _Optional[int] = ..., kv_type: _Optional[str] = ..., kv_bytes: _Optional[float] = ..., batch_tokens: _Optional[int] = ..., block_size: _Optional[int] = ..., gpu_layers: _Optional[int] = ..., context_length: _Optional[int] = ...) -> None: ...

class ServerConfig(_message.Message):
    __slots__ = ("host", "port", "drain_timeout_ms")
    HOST_FIELD_NUMBER: _ClassVar[int]
    PORT_FIELD_NUMBER: _ClassVar[int]
    DRAIN_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    host: str
    port: int
    drain_timeout_ms: float
    def __init__(self, host: _Optional[str] = ..., port: _Optional[int] = ..., drain_timeout_ms: _Optional[float] = ...) -> None: ...

class ModelsConfig(_message.Message):
    __slots__ = ("default_model",)
    DEFAULT_MODEL_FIELD_NUMBER: _ClassVar[int]
    default_model: str
    def __init__(self, default_model: _Optional[str] = ...) -> None: ...

class RoutingConfig(_message.Message):
    __slots__ = ("strategy", "enable_fallback", "quality_weight", "cost_weight", "speed_weight", "seed", "max_attempts", "retry_backoff_ms", "first_token_timeout_ms", "hedge", "breaker_failures", "breaker_cooldown_ms")
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    ENABLE_FALLBACK_FIELD_NUMBER: _ClassVar[int]
    QUALITY_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    COST_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SPEED_WEIGHT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    RETRY_BACKOFF_MS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    HEDGE_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FAILURES_FIELD_NUMBER: _ClassVar[int]
    BREAKER_COOLDOWN_MS_FIELD_NUMBER: _ClassVar[int]
    strategy: str
    enable_fallback: bool
    quality_weight: float
    cost_weight: float
    speed_weight: float
    seed: float
    max_attempts: int
    retry_backoff_ms: float
    first_token_timeout_ms: float
    hedge: bool
    breaker_failures: int
    breaker_cooldown_ms: float
    def __init__(self, strategy: _Optional[str] = ..., enable_fallback: _Optional[bool] = ..., quality_weight: _Optional[float] = ..., cost_weight: _Optional[float] = ..., speed_weight: _Optional[float] = ..., seed: _Optional[float] = ..., max_attempts: _Optional[int] = ..., retry_backoff_ms: _Optional[float] = ..., first_token_timeout_ms: _Optional[float] = ..., hedge: _Optional[bool] = ..., breaker_failures: _Optional[int] = ..., breaker_cooldown_ms: _Optional[float] = ...) -> None: ...

class CacheConfig(_message.Message):
    __slots__ = ("enabled", "ttl_seconds", "max_bytes")
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    enabled: bool
    ttl_seconds: float
    max_bytes: float
    def __init__(self, enabled: _Optional[bool] = ..., ttl_seconds: _Optional[float] = ..., max_bytes: _Optional[float] = ...) -> None: ...

class GetConfigRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetConfigResponse(_message.Message):
    __slots__ = ("config",)
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    config: Config
    def __init__(self, config: _Optional[_Union[Config, _Mapping]] = ...) -> None: ...

class UpdateConfigRequest(_message.Message):
    __slots__ = ("config", "update_mask")
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASK_FIELD_NUMBER: _ClassVar[int]
    config: Config
    update_mask: _field_mask_pb2.FieldMask
    def __init__(self, config: _Optional[_Union[Config, _Mapping]] = ..., update_mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...

class UpdateConfigResponse(_message.Message):
    __slots__ = ("config",)
    CONFIG_FIELD_NUMBER: _ClassVar[int]
    config: Config
    def __init__(self, config: _Optional[_Union[Config, _Mapping]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("healthy", "version", "uptime_seconds", "running_requests", "queued_requests", "loaded_models", "registered_models", "cache")
    HEALTHY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPTIME_SECONDS_FIELD_NUMBER: _ClassVar[int]
    RUNNING_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    LOADED_MODELS_FIELD_NUMBER: _ClassVar[int]
    REGISTERED_MODELS_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    healthy: bool
    version: str
    uptime_seconds: float
    running_requests: int
    queued_requests: int
    loaded_models: _containers.RepeatedScalarFieldContainer[str]
    registered_models: int
    cache: _types_pb2.CacheCounts
    def __init__(self, healthy: _Optional[bool] = ..., version: _Optional[str] = ..., uptime_seconds: _Optional[float] = ..., running_requests: _Optional[int] = ..., queued_requests: _Optional[int] = ..., loaded_models: _Optional[_Iterable[str]] = ..., registered_models: _Optional[int] = ..., cache: _Optional[_Union[_types_pb2.CacheCounts, _Mapping]] = ...) -> None: ...

class CheckHealthRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckHealthResponse(_message.Message):
    __slots__ = ("ready", "draining", "models")
    class ModelsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bool
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bool] = ...) -> None: ...
    READY_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    draining: bool
    models: _containers.ScalarMap[str, bool]
    def __init__(self, ready: _Optional[bool] = ..., draining: _Optional[bool] = ..., models: _Optional[_Mapping[str, bool]] = ...) -> None: ...
