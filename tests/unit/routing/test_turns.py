from __future__ import annotations

from llm_runner_router.routing.turns import Turns


def test_turns_count_by_key_and_the_oldest_key_is_forgotten() -> None:
    turns = Turns(capacity=2)
    assert [turns.take(("a",)), turns.take(("b",)), turns.take(("a",))] == [0, 0, 1]
    assert turns.next(("a",)) == turns.next(("a",)) == 2
    turns.take(("c",))
    assert (turns.next(("a",)), turns.next(("b",))) == (2, 0)
