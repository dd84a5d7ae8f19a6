"""Several models asked at once."""

from __future__ import annotations

from llm_runner_router.ensembles import (
    Aggregation,
    EnsembleRequest,
    EnsembleResponse,
    Member,
    MemberResult,
)
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.types import Request
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.events import response_from_wire, response_to_wire
from llm_runner_router.wire.fields import assign, check_instance, fill, numbered, present
from llm_runner_router.wire.requests import request_from_wire, request_to_wire
from llm_runner_router.wire.status import failure_from_wire, failure_to_wire
from llm_runner_router.wire.words import Words

AGGREGATIONS = Words(
    {
        router_pb2.AGGREGATION_UNSPECIFIED: Aggregation.MAJORITY,
        router_pb2.AGGREGATION_FIRST: Aggregation.FIRST,
        router_pb2.AGGREGATION_MAJORITY: Aggregation.MAJORITY,
        router_pb2.AGGREGATION_WEIGHTED: Aggregation.WEIGHTED,
        router_pb2.AGGREGATION_BEST_OF: Aggregation.BEST_OF,
    }
)


def ensemble_to_wire(ensemble: EnsembleRequest) -> router_pb2.ProcessEnsembleRequest:
    """What is asked of whom; InvalidRequestError for a value that the message cannot hold."""
    check_instance("request", ensemble.request, Request)
    message = router_pb2.ProcessEnsembleRequest(
        request=request_to_wire(ensemble.request),
        members=[member_to_wire(*item) for item in numbered("members", ensemble.members)],
        aggregation=AGGREGATIONS.number(ensemble.aggregation, "aggregation"),
    )
    if ensemble.judge is not None:
        assign(message, "judge", ensemble.judge)
    assign(message, "minimum", ensemble.minimum)
    return message


def member_to_wire(path: str, member: Member) -> router_pb2.EnsembleMember:
    """One member."""
    check_instance(path, member, Member)
    message = router_pb2.EnsembleMember()
    fill(message, member, path, ("model", "weight"))
    return message


def ensemble_from_wire(message: router_pb2.ProcessEnsembleRequest) -> EnsembleRequest:
    """What is asked of whom. Ranges are checked where the ensemble is worked on."""
    if not message.HasField("request"):
        raise InvalidRequestError("request", None, "a request")
    return EnsembleRequest(
        request=request_from_wire(message.request),
        members=tuple(
            Member(member.model, **present(member, ("weight",))) for member in message.members
        ),
        aggregation=AGGREGATIONS.word(message.aggregation, "aggregation"),
        **present(message, ("judge", "minimum")),
    )


def ensemble_response_to_wire(answer: EnsembleResponse) -> router_pb2.ProcessEnsembleResponse:
    """The answer that was chosen, and every member's."""
    return router_pb2.ProcessEnsembleResponse(
        response=response_to_wire(answer.response),
        members=map(member_result_to_wire, answer.members),
    )


def member_result_to_wire(result: MemberResult) -> router_pb2.EnsembleResult:
    """What became of one member."""
    message = router_pb2.EnsembleResult(model=result.model, score=result.score)
    if result.response is not None:
        message.response.CopyFrom(response_to_wire(result.response))
    elif result.error is not None:
        message.failure.CopyFrom(failure_to_wire(result.error))
    return message


def ensemble_response_from_wire(
    message: router_pb2.ProcessEnsembleResponse,
) -> EnsembleResponse:
    """The answer that was chosen, and every member's."""
    return EnsembleResponse(
        response=response_from_wire(message.response),
        members=tuple(map(member_result_from_wire, message.members)),
    )


def member_result_from_wire(message: router_pb2.EnsembleResult) -> MemberResult:
    """What became of one member."""
    answered, failed = message.HasField("response"), message.HasField("failure")
    return MemberResult(
        model=message.model,
        response=response_from_wire(message.response) if answered else None,
        error=failure_from_wire(message.failure) if failed else None,
        score=message.score,
    )
