from __future__ import annotations

import pytest

from llm_runner_router.registry.sources.web.retries import ATTEMPTS, LONGEST_WISH, Retries


def test_pauses_grow_and_end() -> None:
    retries = Retries()
    pauses = [retries.pause(0, None) for _ in range(ATTEMPTS)]
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, None]


def test_only_what_never_came_before_is_progress() -> None:
    retries = Retries(10)
    assert [retries.pause(10, None), retries.pause(5, None)] == [0.5, 1.0]
    assert [retries.pause(11, None), retries.pause(11, None)] == [0.5, 1.0]


@pytest.mark.parametrize(
    ("wish", "pause"),
    [(0.0, 0.5), (7.0, 7.0), (LONGEST_WISH, LONGEST_WISH), (LONGEST_WISH + 1, None)],
)
def test_the_wish_of_the_server(wish: float, pause: float | None) -> None:
    assert Retries().pause(1, wish) == pause
