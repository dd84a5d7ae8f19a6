"""The limits of an ensemble's fields; its request is checked by each member's own path."""

from __future__ import annotations

from collections.abc import Sequence

from llm_runner_router.ensembles import Aggregation, EnsembleRequest, Member
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.validation.request import MAX_MODEL_ID, check_kind, check_text, is_number

MAX_MEMBERS = 16


def validate_ensemble(ensemble: EnsembleRequest) -> None:
    """InvalidRequestError names the first field that is wrong."""
    if ensemble.request.model:
        raise InvalidRequestError(
            "request.model", ensemble.request.model, "none: the members name the models"
        )
    _check_members(ensemble.members)
    _check_weights(ensemble.members)
    _check_aggregation(ensemble.aggregation)
    _check_judge(ensemble)
    _check_minimum(ensemble.minimum, len(ensemble.members))


def _check_members(members: Sequence[Member]) -> None:
    """Some, each a model that no other is."""
    check_kind("members", members, Sequence, f"a list of 1 to {MAX_MEMBERS} members")
    if not 1 <= len(members) <= MAX_MEMBERS:
        raise InvalidRequestError("members", len(members), f"1 to {MAX_MEMBERS} members")
    seen: set[str] = set()
    for index, member in enumerate(members):
        field = f"members[{index}].model"
        check_text(field, member.model, MAX_MODEL_ID)
        if member.model in seen:
            raise InvalidRequestError(field, member.model, "a model that no other member is")
        seen.add(member.model)


def _check_weights(members: Sequence[Member]) -> None:
    """Finite, none negative, not all 0."""
    for index, member in enumerate(members):
        if not (is_number(member.weight) and member.weight >= 0):
            allowed = "a finite number of at least 0"
            raise InvalidRequestError(f"members[{index}].weight", member.weight, allowed)
    if not is_number(total := float(sum(member.weight for member in members))) or total <= 0:
        raise InvalidRequestError("members", total, "weights with a finite sum above 0")


def _check_aggregation(aggregation: object) -> None:
    """A known one."""
    if not isinstance(aggregation, Aggregation):
        raise InvalidRequestError("aggregation", aggregation, f"one of {', '.join(Aggregation)}")


def _check_judge(ensemble: EnsembleRequest) -> None:
    """With BEST_OF, and with nothing else."""
    if ensemble.aggregation is Aggregation.BEST_OF:
        check_text("judge", ensemble.judge, MAX_MODEL_ID)
    elif ensemble.judge:
        raise InvalidRequestError("judge", ensemble.judge, f"none but with {Aggregation.BEST_OF}")


def _check_minimum(minimum: object, members: int) -> None:
    """No more answers than there are members."""
    if isinstance(minimum, bool) or not isinstance(minimum, int) or not 1 <= minimum <= members:
        raise InvalidRequestError("minimum", minimum, f"a whole number from 1 to {members}")
