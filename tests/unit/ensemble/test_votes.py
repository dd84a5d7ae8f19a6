from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.ensemble.votes import only, opinion, vote
from llm_runner_router.ensembles import Aggregation, Member
from llm_runner_router.tools import ToolCall
from unit.ensemble.fakes import answer

TEXTS = st.lists(st.sampled_from("xyz"), min_size=1, max_size=16)
BALLOTS = TEXTS.flatmap(
    lambda texts: st.tuples(
        st.just(texts),
        st.lists(st.integers(0, 4), min_size=len(texts), max_size=len(texts)).filter(any),
    )
)


def chosen(texts: str, weights: list[float], aggregation: Aggregation) -> int:
    members = [Member(str(place), weight) for place, weight in enumerate(weights)]
    return vote(members, dict(enumerate(map(answer, texts))), aggregation).chosen


@pytest.mark.parametrize(
    ("texts", "weights", "by_votes", "by_weight"),
    [
        ("xyy", [9, 1, 1], 1, 0),
        ("xxyy", [1, 1, 1, 2], 2, 2),  # a tie of votes goes to the weight
        ("xxyy", [2, 2, 2, 2], 0, 0),  # a tie of both to the earlier member
        ("yxxy", [2, 2, 2, 2], 0, 0),
        ("xyy", [2, 1, 1], 1, 1),  # a tie of weights goes to the votes
        ("x", [0], 0, 0),
    ],
)
def test_votes_weights_and_ties(
    texts: str, weights: list[float], by_votes: int, by_weight: int
) -> None:
    assert chosen(texts, weights, Aggregation.MAJORITY) == by_votes
    assert chosen(texts, weights, Aggregation.WEIGHTED) == by_weight


@given(BALLOTS, st.sampled_from([Aggregation.MAJORITY, Aggregation.WEIGHTED]))
def test_the_choice_has_the_highest_score_and_scores_are_shares(
    ballot: tuple[list[str], list[int]], aggregation: Aggregation
) -> None:
    texts, weights = ballot
    members = [Member(str(place), weight) for place, weight in enumerate(weights)]
    choice = vote(members, dict(enumerate(map(answer, texts))), aggregation)
    assert choice.scores[choice.chosen] == max(choice.scores.values())
    shares = {text: choice.scores[place] for place, text in enumerate(texts)}
    assert sum(shares.values()) == pytest.approx(1)
    assert all(choice.scores[place] == shares[text] for place, text in enumerate(texts))


@given(BALLOTS)
def test_scaling_the_weights_changes_nothing(ballot: tuple[list[str], list[int]]) -> None:
    texts, weights = ballot
    scaled = [weight * 8.0 for weight in weights]
    for aggregation in (Aggregation.MAJORITY, Aggregation.WEIGHTED):
        before = chosen("".join(texts), list(map(float, weights)), aggregation)
        assert chosen("".join(texts), scaled, aggregation) == before


def test_weights_of_nothing_score_nothing() -> None:
    members = [Member("a", 0.0), Member("b", 1.0)]
    choice = vote(members, {0: answer("x")}, Aggregation.WEIGHTED)
    assert (choice.chosen, choice.scores) == (0, {0: 0.0})


def test_opinions_differ_by_words_and_calls() -> None:
    assert opinion(answer(" Straße\t1\n")) == opinion(answer("STRASSE 1"))
    assert opinion(answer("a b")) != opinion(answer("ab"))
    call = replace(answer(""), tool_calls=(ToolCall("1", "f", "{}"),))
    assert opinion(call) == opinion(replace(call, tool_calls=(ToolCall("2", "f", "{}"),)))
    assert opinion(call) != opinion(answer(""))
    assert opinion(call) != opinion(replace(call, tool_calls=(ToolCall("1", "f", "[]"),)))


def test_one_answer_takes_all() -> None:
    assert only(2, {0: answer("x"), 2: answer("y")}).scores == {0: 0.0, 2: 1.0}
