from __future__ import annotations

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.registry.records import UsageQuery
from llm_runner_router.registry.usage import spending
from llm_runner_router.types import Request
from unit.echoes import echo_runtime, model

ASK = Request(prompt="one two", model="m")


async def test_callers_that_have_a_budget_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spending, "MAX_CALLERS", 0)
    async with echo_runtime({"budgets": {"callers": {"alice": {"day": 5.0}}}}) as runtime:
        for caller in ("alice", "bob"):
            await runtime.process(ASK, CallContext(caller))
        rows = await runtime.get_usage(UsageQuery())
    assert [row.caller for row in rows] == ["(others)", "alice"]


async def test_a_model_that_is_registered_anew_is_not_judged_by_old_answers() -> None:
    async with echo_runtime() as runtime:
        answer = await runtime.process(ASK)
        await runtime.unregister_model("m")
        await runtime.register_model(model("m"))
        with pytest.raises(ResourceNotFoundError):
            await runtime.feedback(answer.request_id, 1.0)
