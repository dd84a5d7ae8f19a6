"""What an answer took and how it came about, in LangChain's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata

from llm_runner_router.decision import Decision
from llm_runner_router.types import Complete, FinishReason, Metrics, Response, TokenLogprob

PROVIDER = "llm-runner-router"


def usage_of(metrics: Metrics) -> UsageMetadata:
    """The tokens; parts of them in the details."""
    return UsageMetadata(
        input_tokens=metrics.prompt_tokens,
        output_tokens=metrics.completion_tokens,
        total_tokens=metrics.total_tokens,
        input_token_details=InputTokenDetails(
            cache_read=metrics.cached_tokens, cache_creation=metrics.cache_write_tokens
        ),
        output_token_details=OutputTokenDetails(reasoning=metrics.reasoning_tokens),
    )


def beginning(request_id: str, decision: Decision | None) -> dict[str, Any]:
    """What is known before the first token."""
    known: dict[str, Any] = {"request_id": request_id, "model_provider": PROVIDER}
    return known if decision is None else {**known, "decision": asdict(decision)}


def outcome(answer: Complete | Response) -> dict[str, Any]:
    """What is known after the last one."""
    return {
        "model_name": answer.model_used,
        "finish_reason": reason_of(answer.finish_reason),
        "cost_usd": answer.metrics.cost_usd,
        "cache": answer.cache.value,
        "attempts": [asdict(attempt) for attempt in answer.attempts],
        "timings": {
            "duration_ms": answer.metrics.duration_ms,
            "queue_ms": answer.metrics.queue_ms,
            "first_token_ms": answer.metrics.first_token_ms,
        },
    }


def reason_of(reason: FinishReason) -> str:
    """As providers spell it: ``tool_calls``."""
    return reason.value.replace("-", "_")


def logprobs_of(logprobs: Sequence[TokenLogprob]) -> Mapping[str, Any]:
    """An entry of the metadata where they were asked for, else none."""
    if not logprobs:
        return {}
    content = [
        {
            "token": entry.token,
            "logprob": entry.logprob,
            "top_logprobs": [{"token": top.token, "logprob": top.logprob} for top in entry.top],
        }
        for entry in logprobs
    ]
    return {"logprobs": {"content": content}}
