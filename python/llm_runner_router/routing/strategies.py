"""The strategies: pure functions that score the candidates of a snapshot.

Each factor is normalised over the candidates (best 1, worst 0, all equal 1), so that no unit
matters. What is only learnt by trying (speed, success) is explored: unmeasured, it counts as best
while nothing runs there and as middling while an attempt does. What trying does not tell (quality,
price) counts as middling where it is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.random import Generator

from llm_runner_router.preferences import Strategy
from llm_runner_router.routing.roster import Hashes
from llm_runner_router.routing.scales import Floats, falling, middling, rising
from llm_runner_router.routing.scores import Scores
from llm_runner_router.routing.snapshot import Snapshot

_FULL_SHARE = 0.5  # a cached share below this one counts less than in proportion
_TOLERATED_REQUESTS = 8  # like this one, that the holder of a whole prompt may be behind
_SLOWEST_COUNTS = 0.75  # of a success, where the slowest answers in place of the fastest
_MOST_SAMPLES = 100.0  # averages forget, so more of them make nothing surer


@dataclass(frozen=True, slots=True)
class Ask:
    """What a strategy may go by beside the snapshot.

    ``chance`` belongs to the caller: the same state gives the same scores. ``turn`` counts the
    requests to these candidates, ``key`` is what canary splits stick to, and the weights are those
    of quality, cost and speed.
    """

    chance: Generator
    capabilities: frozenset[str] = frozenset()
    turn: int = 0
    key: int = 0
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)


Scoring = Callable[[Snapshot, Ask], Scores]


def quality_first(snapshot: Snapshot, _: Ask) -> Scores:
    """The best by the operator's judgement."""
    quality = quality_of(snapshot)
    return Scores(quality, {"quality": quality})


def cost_optimized(snapshot: Snapshot, _: Ask) -> Scores:
    """The cheapest for this request."""
    cost = cost_of(snapshot)
    return Scores(cost, {"cost": cost})


def speed_priority(snapshot: Snapshot, _: Ask) -> Scores:
    """The one that is expected to have answered first."""
    speed = speed_of(snapshot)
    return Scores(speed, {"speed": speed})


def balanced(snapshot: Snapshot, ask: Ask) -> Scores:
    """Quality, cost and speed by their weights; equal ones where all are 0."""
    quality, cost, speed = quality_of(snapshot), cost_of(snapshot), speed_of(snapshot)
    for_quality, for_cost, for_speed = shares_of(ask.weights)
    total = quality * for_quality
    total += cost * for_cost
    total += speed * for_speed
    return Scores(total, {"quality": quality, "cost": cost, "speed": speed})


def random(snapshot: Snapshot, ask: Ask) -> Scores:
    """Any, with equal chances."""
    drawn = ask.chance.random(len(snapshot))
    return Scores(drawn, {"chance": drawn})


def round_robin(snapshot: Snapshot, ask: Ask) -> Scores:
    """One after the other in the order of ids."""
    count = len(snapshot)
    turn = 1.0 - (np.arange(count) - ask.turn) % count / count
    return Scores(turn, {"turn": turn})


def least_loaded(snapshot: Snapshot, ask: Ask) -> Scores:
    """The less loaded of two that chance picks.

    Loads are a little old when they are looked at: many requests that all choose the very least
    loaded model would overload it together.
    """
    load, count = load_of(snapshot), len(snapshot)
    picked = np.zeros(count)
    picked[ask.chance.choice(count, min(2, count), replace=False)] = 1.0
    return Scores((load + picked) / 2, {"load": load, "picked": picked})


def capability_match(snapshot: Snapshot, ask: Ask) -> Scores:
    """The fewest capabilities beyond the wanted ones; among equals the best."""
    surplus, quality = snapshot.surplus(ask.capabilities), quality_of(snapshot)
    capability = falling(surplus, middling)
    # One capability more weighs twice as much as all of quality.
    span = float(np.ptp(surplus))
    total = (capability * span + quality * 0.5) / (span + 0.5)
    return Scores(total, {"capability": capability, "quality": quality})


def prefix_affinity(snapshot: Snapshot, _: Ask) -> Scores:
    """The model that has seen most of the prompt, unless it has much more to do than others."""
    cached, outstanding = snapshot.cached_share, snapshot.outstanding
    affinity = cached * np.minimum(1.0, cached / _FULL_SHARE)
    behind = outstanding - outstanding.min()
    tolerated = _TOLERATED_REQUESTS * (snapshot.prompt_tokens + snapshot.answer_tokens)
    load = tolerated / (behind + tolerated)
    return Scores((affinity + 2 * load) / 3, {"affinity": affinity, "load": load})


def weighted(snapshot: Snapshot, ask: Ask) -> Scores:
    """Any, with chances in proportion to the targets' weights."""
    return raced(snapshot.weights, ask.chance.random(len(snapshot)))


def canary(snapshot: Snapshot, ask: Ask) -> Scores:
    """As ``weighted``, but one key always meets the same model.

    Where weights change, only those keys move that must.
    """
    return raced(snapshot.weights, uniform(mixed(snapshot.hashes ^ np.uint64(ask.key))))


def adaptive(snapshot: Snapshot, ask: Ask) -> Scores:
    """A bandit: a draw from what is believed of each model's use (Thompson sampling).

    The use of an attempt is its success times its relative speed, times what callers judged where
    they did. The belief is a Beta distribution that begins even, so the unknown are tried.
    """
    speed, success = speed_of(snapshot), 1.0 - snapshot.error_rate
    judged = snapshot.rewards > 0
    reward = np.where(judged, snapshot.reward, 1.0)
    mean = reward * success * (_SLOWEST_COUNTS + (1.0 - _SLOWEST_COUNTS) * speed)
    evidence = np.minimum(np.where(judged, snapshot.rewards, snapshot.samples), _MOST_SAMPLES)
    drawn = ask.chance.beta(1.0 + mean * evidence, 1.0 + (1.0 - mean) * evidence)
    return Scores(drawn, {"belief": mean, "reward": reward, "success": success, "speed": speed})


STRATEGIES: Mapping[Strategy, Scoring] = MappingProxyType(
    {
        Strategy.QUALITY_FIRST: quality_first,
        Strategy.COST_OPTIMIZED: cost_optimized,
        Strategy.SPEED_PRIORITY: speed_priority,
        Strategy.BALANCED: balanced,
        Strategy.RANDOM: random,
        Strategy.ROUND_ROBIN: round_robin,
        Strategy.LEAST_LOADED: least_loaded,
        Strategy.CAPABILITY_MATCH: capability_match,
        Strategy.PREFIX_AFFINITY: prefix_affinity,
        Strategy.WEIGHTED: weighted,
        Strategy.CANARY: canary,
        Strategy.ADAPTIVE: adaptive,
    }
)


def quality_of(snapshot: Snapshot) -> Floats:
    """The quality part."""
    if snapshot.rows is None:
        return snapshot.roster.quality_share
    return rising(snapshot.quality, middling)


def cost_of(snapshot: Snapshot) -> Floats:
    """The cost part."""
    return falling(snapshot.cost_usd, middling)


def speed_of(snapshot: Snapshot) -> Floats:
    """The speed part. Who has only failed so far is hoped for less with every failure."""

    def hope() -> Floats:
        success = 1.0 - snapshot.error_rate
        return np.where(snapshot.outstanding > 0, np.minimum(success, middling()), success)

    return falling(snapshot.latency_ms, hope)


def load_of(snapshot: Snapshot) -> Floats:
    """The load part."""
    return falling(snapshot.outstanding, middling)


def shares_of(weights: tuple[float, float, float]) -> tuple[float, float, float]:
    """The weights as parts of 1; equal ones where all are 0."""
    total = sum(weights)
    if not total:
        return 1 / 3, 1 / 3, 1 / 3
    return weights[0] / total, weights[1] / total, weights[2] / total


def raced(weights: Floats, drawn: Floats) -> Scores:
    """A race that each wins with a chance in proportion to its weight: equal where all are 0.

    ``drawn`` from 0 to below 1 becomes an arrival of exponential distribution, the earlier the
    greater the weight; the earliest of several such is each in proportion to its rate.
    """
    greatest = weights.max()
    weight = weights / greatest if greatest > 0 else np.ones(len(weights))
    effort = -np.log1p(-drawn)
    # Without effort and weight there is still no way to arrive.
    total = weight / (weight + effort + np.finfo(np.float64).tiny)
    return Scores(total, {"weight": weight})


def mixed(hashes: Hashes) -> Hashes:
    """Bits that depend on all bits of each hash (the finaliser of splitmix64)."""
    bits = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def uniform(hashes: Hashes) -> Floats:
    """Numbers from 0 to below 1, of the upper bits."""
    upper = (hashes >> np.uint64(11)).astype(np.float64)
    return upper * 2.0**-53
