from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.admission.window import MINUTE, SLOT, Window

BOOKINGS = st.lists(st.tuples(st.floats(0, 30), st.integers(0, 50)), max_size=60)


@given(BOOKINGS)
def test_it_forgets_after_a_minute_and_at_most_a_second_late(
    bookings: list[tuple[float, int]],
) -> None:
    window, now, booked = Window(), 0.0, list[tuple[float, int]]()
    for pause, amount in bookings:
        now += pause
        window.book(now, amount)
        booked.append((now, amount))
        least = sum(amount for when, amount in booked if when + MINUTE > now)
        most = sum(amount for when, amount in booked if when + MINUTE + SLOT > now)
        assert least <= window.used(now) <= most
        assert len(window._slots) <= MINUTE / SLOT + 2


@given(BOOKINGS, st.integers(0, 200))
def test_the_wait_is_as_long_as_it_takes_and_no_longer(
    bookings: list[tuple[float, int]], most: int
) -> None:
    window, now = Window(), 0.0
    for pause, amount in bookings:
        now += pause
        window.book(now, amount)
    wait = window.wait(now, most)
    assert (wait == 0.0) == (window.used(now) <= most)
    if wait > 0.002:
        assert window.used(now + wait - 0.001) > most
    assert window.used(now + wait + 0.001) <= most


def test_what_never_fits_waits_a_minute() -> None:
    window = Window()
    assert window.wait(0.0, -1) == MINUTE
    window.book(0.0, 5)
    assert window.wait(30.0, -1) == MINUTE


def test_what_is_counted_together_is_not_forgotten_before_its_time() -> None:
    window = Window()
    window.book(0.0, 1)
    window.book(0.9, 2)
    assert window.used(60.5) == 3
    assert window.used(60.9) == 0
