from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.compat.transformers import set_seed
from llm_runner_router.compat.transformers.seeds import PROGRAM, Seeds
from llm_runner_router.errors import InvalidRequestError


def test_seeds_are_drawn_one_after_the_other() -> None:
    seeds = Seeds()
    assert seeds.next() is None
    seeds.begin(4)
    first = [seeds.next() for _ in range(3)]
    assert len(set(first)) == 3
    seeds.begin(4)
    assert [seeds.next() for _ in range(3)] == first
    seeds.begin(5)
    assert seeds.next() != first[0]


def test_a_seed_is_a_whole_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PROGRAM, "_numbers", None)
    wrong: Any
    for wrong in ("4", None, 1.5, -1):
        with pytest.raises(InvalidRequestError, match="seed"):
            set_seed(wrong)
    assert PROGRAM.next() is None
    set_seed(4, deterministic=True)
    assert PROGRAM.next() is not None
