from __future__ import annotations

import time

import pytest

from llm_runner_router.prompt.budget import Budget
from llm_runner_router.prompt.errors import ChatTemplateError


def test_time_counts_only_while_the_template_works(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget.for_input(1)
    later, worked = time.monotonic() + 60.0, time.thread_time() + 60.0
    monkeypatch.setattr(time, "monotonic", lambda: later)
    budget.charge(1)
    monkeypatch.setattr(time, "thread_time", lambda: worked)
    with pytest.raises(ChatTemplateError, match="takes longer than 2 s"):
        budget.charge(1)


def test_work_is_used_up_on_every_machine() -> None:
    budget = Budget(work=1000)
    for _ in range(10):
        budget.charge(50)
    with pytest.raises(ChatTemplateError, match="too many steps"):
        budget.charge(1)
