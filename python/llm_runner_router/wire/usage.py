"""What was used, and how good answers were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_runner_router.registry.records import UsageQuery, UsageRow
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.fields import assign, fill

QUERY = ("first_day", "last_day", "caller", "model")


def query_to_wire(query: UsageQuery) -> router_pb2.GetUsageRequest:
    """Which usage is asked for; InvalidRequestError for a value that the message cannot hold."""
    message = router_pb2.GetUsageRequest()
    fill(message, query, "query", QUERY)
    return message


def query_from_wire(message: router_pb2.GetUsageRequest) -> UsageQuery:
    """Which usage is asked for."""
    return UsageQuery(message.first_day, message.last_day, message.caller, message.model)


def usage_to_wire(rows: Sequence[UsageRow]) -> router_pb2.GetUsageResponse:
    """What was used."""
    return router_pb2.GetUsageResponse(rows=map(usage_row_to_wire, rows))


def usage_row_to_wire(row: UsageRow) -> router_pb2.UsageRow:
    """What a caller used of a model on a day."""
    return router_pb2.UsageRow(
        day=row.day,
        caller=row.caller,
        model=row.model,
        requests=row.requests,
        failures=row.failures,
        prompt_tokens=row.prompt_tokens,
        cached_tokens=row.cached_tokens,
        completion_tokens=row.completion_tokens,
        reasoning_tokens=row.reasoning_tokens,
        cost_usd=row.cost_usd,
        saved_cost_usd=row.saved_cost_usd,
    )


def usage_from_wire(messages: Iterable[router_pb2.UsageRow]) -> tuple[UsageRow, ...]:
    """What was used."""
    return tuple(
        UsageRow(
            day=row.day,
            caller=row.caller,
            model=row.model,
            requests=row.requests,
            failures=row.failures,
            prompt_tokens=int(row.prompt_tokens),
            cached_tokens=int(row.cached_tokens),
            completion_tokens=int(row.completion_tokens),
            reasoning_tokens=int(row.reasoning_tokens),
            cost_usd=row.cost_usd,
            saved_cost_usd=row.saved_cost_usd,
        )
        for row in messages
    )


def feedback_to_wire(request_id: str, score: float) -> router_pb2.FeedbackRequest:
    """How good an answer was."""
    message = router_pb2.FeedbackRequest()
    assign(message, "request_id", request_id)
    assign(message, "score", score)
    return message
