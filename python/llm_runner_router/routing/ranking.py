"""The candidates of a group in the order in which a strategy would have them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from llm_runner_router.config.routing import RoutingConfig
from llm_runner_router.decision import ScoredCandidate
from llm_runner_router.preferences import Routing, Strategy
from llm_runner_router.routing.groups import Group
from llm_runner_router.routing.inquiry import Inquiry
from llm_runner_router.routing.roster import stable_hash
from llm_runner_router.routing.scores import Scores
from llm_runner_router.routing.snapshot import Snapshot
from llm_runner_router.routing.strategies import STRATEGIES, Ask
from llm_runner_router.routing.turns import Turns

Asked = tuple[Inquiry, RoutingConfig]


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best candidates, best first."""

    snapshot: Snapshot
    scores: Scores
    best: Sequence[int]

    def models(self) -> Sequence[str]:
        """Their ids."""
        ids, snapshot = self.snapshot.roster.ids, self.snapshot
        return [ids[snapshot.row(index)] for index in self.best]

    def shown(self, count: int) -> Sequence[ScoredCandidate]:
        """The first ``count`` with their scores."""
        ids, snapshot = self.snapshot.roster.ids, self.snapshot
        return [
            self.scores.candidate(ids[snapshot.row(index)], index) for index in self.best[:count]
        ]


class Ranker:
    """Applies strategies; holds what they need beyond the moment. Belongs to one event loop."""

    def __init__(self, seed: int | None) -> None:
        self._chance = np.random.default_rng(seed)
        self._turns = Turns()

    def rank(self, group: Group, candidates: Snapshot, asked: Asked, count: int) -> Ranking:
        """The best ``count`` for a decision, which takes its turn and uses up its chance."""
        turn = self._turns.take(turn_key(group, candidates)) if takes_turns(group) else 0
        return ranked(group, candidates, count, ask_of(group, asked, (self._chance, turn)))

    def foresee(self, group: Group, candidates: Snapshot, asked: Asked, count: int) -> Ranking:
        """What ``rank`` will say next, if nothing changes until then."""
        turn = self._turns.next(turn_key(group, candidates)) if takes_turns(group) else 0
        chance = copy.deepcopy(self._chance)
        return ranked(group, candidates, count, ask_of(group, asked, (chance, turn)))


def ranked(group: Group, candidates: Snapshot, count: int, ask: Ask) -> Ranking:
    """The best ``count`` by the group's strategy; who has no rival scores 1."""
    if group.strategy is None or not len(candidates):
        scores = Scores(np.ones(len(candidates)), {})
    else:
        scores = STRATEGIES[group.strategy](candidates, ask)
    return Ranking(candidates, scores, scores.first(candidates, count))


def ask_of(group: Group, asked: Asked, state: tuple[Generator, int]) -> Ask:
    """What the group's strategy goes by; ``state`` is the source of chance and the turn."""
    (inquiry, config), (chance, turn) = asked, state
    weights = config.quality_weight, config.cost_weight, config.speed_weight
    match group.strategy:
        case Strategy.CANARY:
            return Ask(chance, key=canary_key(group, inquiry))
        case Strategy.CAPABILITY_MATCH:
            return Ask(chance, frozenset(inquiry.routing.requirements.capabilities))
        case _:
            return Ask(chance, turn=turn, weights=weights)


def canary_key(group: Group, inquiry: Inquiry) -> int:
    """What a request sticks to, apart for each alias."""
    alias = "" if group.alias is None else group.alias.id
    return stable_hash(f"{alias}\0{sticky(inquiry.routing, inquiry.caller)}")


def sticky(wishes: Routing, caller: str) -> str:
    """What canary splits stick to: the affinity of the request, or else its caller."""
    return caller if wishes.affinity is None else wishes.affinity


def takes_turns(group: Group) -> bool:
    """Whether the strategy counts."""
    return group.strategy is Strategy.ROUND_ROBIN


def turn_key(group: Group, candidates: Snapshot) -> tuple[object, ...]:
    """The same for the same models behind the same name, whatever their scores."""
    rows = b"" if candidates.rows is None else candidates.rows.tobytes()
    return group.pool.key, group.pool.roster.ids, rows
