from __future__ import annotations

import pytest

from llm_runner_router.decision import SUCCEEDED, Attempt
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.settlement import REMEMBERED, Answered, Settlement
from llm_runner_router.tally import Tally
from llm_runner_router.types import Metrics


class Book:
    """Notes what is booked and what is judged."""

    def __init__(self) -> None:
        self.booked: list[tuple[str, str, Metrics, bool]] = []
        self.judged: list[tuple[str, int, float]] = []

    def record(self, caller: str, model: str, metrics: Metrics, *, failed: bool) -> None:
        self.booked.append((caller, model, metrics, failed))

    def reward(self, model: str, prompt_tokens: int, score: float) -> None:
        self.judged.append((model, prompt_tokens, score))


def tally(*attempts: Attempt) -> Tally:
    made = Tally(clock=lambda: 0.0, attempts=list(attempts))
    made.provider = Metrics(prompt_tokens=7, completion_tokens=3)
    return made


def test_each_attempt_is_booked_on_its_model_and_the_answer_on_the_last() -> None:
    book = Book()
    failed = Attempt("a", "openai", "UNAVAILABLE", cost_usd=0.25)
    overtaken = Attempt("b", "openai", SUCCEEDED, cost_usd=0.5)
    answered = Attempt("c", "openai", SUCCEEDED, cost_usd=1.0)
    Settlement(book, book).book("alice", tally(failed, overtaken, answered), failed=False)
    assert [(caller, model, bad) for caller, model, _, bad in book.booked] == [
        ("alice", "a", True),
        ("alice", "b", False),
        ("alice", "c", False),
    ]
    assert [metrics.cost_usd for _, _, metrics, _ in book.booked] == [0.25, 0.5, 1.0]
    assert [metrics.prompt_tokens for _, _, metrics, _ in book.booked] == [0, 0, 7]


@pytest.mark.parametrize("failed", [False, True])
def test_what_became_of_the_whole_is_booked_with_the_last(*, failed: bool) -> None:
    book = Book()
    settlement = Settlement(book, book)
    settlement.book("alice", tally(Attempt("a", "local", "CANCELLED")), failed=failed)
    assert [bad for *_, bad in book.booked] == [failed]


def test_what_reached_no_model_is_booked_on_none() -> None:
    book = Book()
    Settlement(book, book).book("alice", tally(), failed=True)
    assert book.booked == []


def test_what_was_saved_is_booked_without_costs() -> None:
    book = Book()
    Settlement(book, book).book_saved("alice", "a", 0.5)
    assert book.booked == [("alice", "a", Metrics(saved_cost_usd=0.5), False)]


def test_feedback_is_for_the_answers_of_the_caller() -> None:
    book = Book()
    settlement = Settlement(book, book)
    settlement.remember("1", Answered("alice", "a", 7))
    for caller, request_id in (("mallory", "1"), ("alice", "2")):
        with pytest.raises(ResourceNotFoundError):
            settlement.feedback(caller, request_id, 1.0)
    assert book.judged == []
    settlement.feedback("alice", "1", 0.5)
    assert book.judged == [("a", 7, 0.5)]


def test_the_oldest_answers_are_forgotten_first() -> None:
    book = Book()
    settlement = Settlement(book, book)
    for number in range(REMEMBERED + 1):
        settlement.remember(str(number), Answered("alice", "a", number))
    with pytest.raises(ResourceNotFoundError):
        settlement.feedback("alice", "0", 1.0)
    settlement.feedback("alice", "1", 1.0)
    assert book.judged == [("a", 1, 1.0)]
