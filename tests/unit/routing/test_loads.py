from __future__ import annotations

import pytest

from llm_runner_router.routing.loads import Loads


def test_tokens_add_up_while_they_are_carried() -> None:
    loads = Loads()
    with loads.carrying("a", 5):
        with loads.carrying("a", 7), loads.carrying("b", 0):
            assert dict(loads.busy) == {"a": 12, "b": 1}
        assert loads.outstanding("a") == 5
        assert loads.outstanding("b") == 0
    assert dict(loads.busy) == {}


def test_a_failure_lets_go_too() -> None:
    loads = Loads()
    with pytest.raises(KeyError), loads.carrying("a", 5):
        raise KeyError
    assert loads.outstanding("a") == 0
