"""Counting answers: which are equal, and which of them the most or the weightiest models gave."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from llm_runner_router.ensembles import Aggregation, Member
from llm_runner_router.types import Response


@dataclass(frozen=True, slots=True)
class Choice:
    """The place of the chosen member, and the score of each that answered, by its place."""

    chosen: int
    scores: Mapping[int, float]


def opinion(response: Response) -> Hashable:
    """Answers with equal opinions are one answer: case and white space do not count."""
    calls = tuple((call.name, call.arguments) for call in response.tool_calls)
    return " ".join(response.response.split()).casefold(), calls


def vote(
    members: Sequence[Member], answers: Mapping[int, Response], aggregation: Aggregation
) -> Choice:
    """MAJORITY or WEIGHTED: the group of equal answers with the most votes, or weight.

    Ties go to the greater weight, or number of votes, then to the earlier member; the earliest of
    the group speaks for it. A score is the group's share of all votes, or weights, of ``answers``.
    """
    groups: dict[Hashable, list[int]] = {}
    for place in sorted(answers):
        groups.setdefault(opinion(answers[place]), []).append(place)
    by_weight = aggregation is Aggregation.WEIGHTED

    def worth(group: Sequence[int]) -> tuple[float, float]:
        votes, weight = float(len(group)), sum(members[place].weight for place in group)
        return (weight, votes) if by_weight else (votes, weight)

    winner = max(groups.values(), key=worth)  # the first of equals, so that of the earliest member
    total = sum(worth(group)[0] for group in groups.values())
    scores = {
        place: worth(group)[0] / total if total else 0.0
        for group in groups.values()
        for place in group
    }
    return Choice(winner[0], scores)


def only(chosen: int, answers: Mapping[int, Response]) -> Choice:
    """One answer is picked as a whole: it has all the score."""
    return Choice(chosen, {place: float(place == chosen) for place in answers})
