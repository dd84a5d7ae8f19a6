from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import (
    InvalidRequestError,
    ModelFileError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.routing.agenda import Agenda
from llm_runner_router.types import ModelFormat

DOWN = UnavailableError("down")
A, B = (ModelRecord(name, "", ModelFormat.API, "s") for name in "ab")


@given(seed=st.integers(), failures=st.integers(1, 10))
def test_the_jitter_is_full_and_its_bound_doubles(seed: int, failures: int) -> None:
    agenda = Agenda([A], 99, 0.5, random.Random(seed))
    for tries in range(failures):
        turn = agenda.next()
        assert turn is not None
        assert turn.tries == tries
        agenda.failed(turn, DOWN, 100.0)
    turn = agenda.next()
    assert turn is not None
    assert 100.0 <= turn.ready <= 100.0 + 0.5 * 2 ** (failures - 1)


def test_jitter_differs() -> None:
    ready = set()
    for seed in range(5):
        agenda = Agenda([A], 9, 1.0, random.Random(seed))
        turn = agenda.next()
        assert turn is not None
        agenda.failed(turn, DOWN, 0.0)
        again = agenda.next()
        assert again is not None
        ready.add(again.ready)
    assert len(ready) == 5


def test_a_hedge_takes_untried_models_only() -> None:
    agenda = Agenda([A, B], 9, 1.0, random.Random(1))
    first = agenda.next()
    assert first is not None
    agenda.failed(first, DOWN, 0.0)
    second = agenda.next_first()
    assert second is not None
    assert second.record is B
    assert agenda.next_first() is None
    again = agenda.next()
    assert again is not None
    assert again.record is A


def test_the_budget_ends_it() -> None:
    agenda = Agenda([A, B], 1, 1.0, random.Random(1))
    assert agenda.next() is not None
    agenda.spend()
    assert agenda.next() is None


def test_what_cannot_do_better_is_not_planned_again() -> None:
    agenda = Agenda([A], 9, 1.0, random.Random(1))
    turn = agenda.next()
    assert turn is not None
    agenda.failed(turn, ProviderRejectedError("key"), 0.0)
    assert agenda.next() is None
    assert isinstance(agenda.error(), ProviderRejectedError)


def test_who_refuses_the_request_is_not_asked_again_but_others_are() -> None:
    agenda = Agenda([A, B], 9, 1.0, random.Random(1))
    refusals = [InvalidRequestError("top_k", 1, "none") for _ in range(2)]
    for record, refusal in zip((A, B), refusals, strict=True):
        turn = agenda.next()
        assert turn is not None
        assert turn.record is record
        agenda.failed(turn, refusal, 0.0)
    assert agenda.next() is None
    assert agenda.error() is refusals[0]


def test_a_refusal_is_not_told_where_another_model_failed_after_it() -> None:
    agenda = Agenda([A, B], 9, 1.0, random.Random(1))
    for error in (InvalidRequestError("top_k", 1, "none"), TimeLimitError("no first token")):
        turn = agenda.next()
        assert turn is not None
        agenda.failed(turn, error, 0.0)
    assert isinstance(agenda.error(), TimeLimitError)


@pytest.mark.parametrize(
    ("error", "asked", "left"),
    [
        (ModelFileError("damaged"), False, True),
        (ProviderRejectedError("no key"), False, True),
        (UnsupportedError("tools"), True, True),
        (ProviderRejectedError("key"), True, False),
        (InvalidRequestError("top_k", 1, "none"), True, False),
        (DOWN, False, False),
    ],
)
def test_where_nobody_was_asked_no_attempt_is_spent(
    error: RouterError, asked: bool, left: bool
) -> None:
    agenda = Agenda([A, B], 1, 1.0, random.Random(1))
    turn = agenda.next()
    assert turn is not None
    agenda.spend()
    agenda.failed(turn, error, 0.0, asked=asked)
    assert (agenda.next() is not None) == left


def test_who_has_not_been_tried() -> None:
    agenda = Agenda([A, B], 9, 1.0, random.Random(1))
    turn = agenda.next()
    assert turn is not None
    assert agenda.untried == ["b"]
    agenda.failed(turn, DOWN, 0.0)
    agenda.next()
    assert agenda.untried == []


def test_the_last_error_is_told_unless_all_are_rate_limits() -> None:
    agenda = Agenda([A, B], 9, 1.0, random.Random(1))
    first, second = agenda.next(), agenda.next()
    assert first is not None
    assert second is not None
    limits = [RateLimitError("a", retry_after=1.0), RateLimitError("b", retry_after=2.0)]
    agenda.failed(first, limits[0], 0.0)
    agenda.failed(second, limits[1], 0.0)
    assert agenda.error() is limits[0]
    agenda.failed(first, DOWN, 0.0)
    agenda.failed(second, limits[1], 0.0)
    assert agenda.error() is limits[1]


def test_who_was_too_slow_is_left_for_others_and_not_planned_again() -> None:
    agenda = Agenda([A, B], 9, 1.0, random.Random(1))
    first = agenda.next()
    assert first is not None
    agenda.failed(first, TimeLimitError("no first token"), 0.0)
    second = agenda.next()
    assert second is not None
    assert second.record is B
    assert agenda.next() is None
