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
        self.attempts: list[tuple[str, str, Metrics, bool]] = []
        self.models = {"a"}

    def record_attempt(self, caller: str, model: str, metrics: Metrics, *, failed: bool) -> None:
        self.attempts.append((caller, model, metrics, failed))

    def record(self, caller: str, model: str, metrics: Metrics, *, failed: bool) -> None:
        self.booked.append((caller, model, metrics, failed))

    def reward(self, model: str, prompt_tokens: int, score: float) -> None:
        self.judged.append((model, prompt_tokens, score))


def settled(book: Book) -> Settlement:
    return Settlement(book, book, book.models.__contains__)


def tally(*attempts: Attempt) -> Tally:
    made = Tally(clock=lambda: 0.0, attempts=list(attempts))
    made.provider = Metrics(prompt_tokens=7, completion_tokens=3)
    return made


def test_one_request_is_booked_and_what_earlier_attempts_cost() -> None:
    book = Book()
    failed = Attempt("a", "openai", "UNAVAILABLE", cost_usd=0.25)
    overtaken = Attempt("b", "openai", "CANCELLED", cost_usd=0.5)
    answered = Attempt("c", "openai", SUCCEEDED, cost_usd=1.0)
    settled(book).book("alice", tally(failed, overtaken, answered), failed=False)
    assert book.attempts == [
        ("alice", "a", Metrics(cost_usd=0.25), True),
        ("alice", "b", Metrics(cost_usd=0.5), False),
    ]
    ((caller, model, metrics, bad),) = book.booked
    assert (caller, model, bad) == ("alice", "c", False)
    assert (metrics.cost_usd, metrics.prompt_tokens) == (1.0, 7)


@pytest.mark.parametrize("failed", [False, True])
def test_what_became_of_the_whole_is_booked_with_the_last(*, failed: bool) -> None:
    book = Book()
    settlement = settled(book)
    settlement.book("alice", tally(Attempt("a", "local", "CANCELLED")), failed=failed)
    assert [bad for *_, bad in book.booked] == [failed]


def test_what_reached_no_model_is_booked_on_none() -> None:
    book = Book()
    settled(book).book("alice", tally(), failed=True)
    assert book.booked == []


def test_what_was_saved_is_booked_without_costs() -> None:
    book = Book()
    settled(book).book_saved("alice", "a", 0.5)
    assert book.booked == [("alice", "a", Metrics(saved_cost_usd=0.5), False)]


def test_feedback_is_for_the_answers_of_the_caller() -> None:
    book = Book()
    settlement = settled(book)
    settlement.remember("1", Answered("alice", "a", 7))
    for caller, request_id in (("mallory", "1"), ("alice", "2")):
        with pytest.raises(ResourceNotFoundError):
            settlement.feedback(caller, request_id, 1.0)
    assert book.judged == []
    settlement.feedback("alice", "1", 0.5)
    assert book.judged == [("a", 7, 0.5)]


def test_the_oldest_answers_are_forgotten_first() -> None:
    book = Book()
    settlement = settled(book)
    for number in range(REMEMBERED + 1):
        settlement.remember(str(number), Answered("alice", "a", number))
    with pytest.raises(ResourceNotFoundError):
        settlement.feedback("alice", "0", 1.0)
    settlement.feedback("alice", "1", 1.0)
    assert book.judged == [("a", 1, 1.0)]


def test_an_answer_is_judged_once() -> None:
    book = Book()
    settlement = settled(book)
    settlement.remember("1", Answered("alice", "a", 7))
    settlement.feedback("alice", "1", 0.5)
    with pytest.raises(ResourceNotFoundError):
        settlement.feedback("alice", "1", 1.0)
    assert book.judged == [("a", 7, 0.5)]


def test_answers_of_a_model_that_is_gone_are_not_judged() -> None:
    book = Book()
    settlement = settled(book)
    settlement.remember("1", Answered("alice", "a", 7))
    settlement.remember("2", Answered("alice", "b", 7))
    settlement.forget("a")  # and registered anew, as another one
    for request_id in ("1", "2"):
        with pytest.raises(ResourceNotFoundError):
            settlement.feedback("alice", request_id, 1.0)
    assert book.judged == []
