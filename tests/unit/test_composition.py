from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.backend import CallContext
from llm_runner_router.composition import Surroundings, located
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.registry.records import ModelRecord, UsageQuery
from llm_runner_router.registry.sources.checkpoint.source import CheckpointSource
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.usage import spending
from llm_runner_router.types import ModelFormat, Request
from unit.echoes import EchoLoader, echo_runtime, model

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


class Converted:
    """Has one checkpoint of the hub, converted."""

    model = PulledModel(Path("/converted/Q8_0.gguf"), in_place=True)

    async def fetch(self, _: CheckpointSource, on_progress: ProgressListener) -> PulledModel:
        del on_progress
        return self.model

    def find(self, source: CheckpointSource) -> PulledModel | None:
        return self.model if source.canonical == "hf://org/repo#F16" else None


def test_the_files_of_a_checkpoint_are_those_that_were_made_of_it() -> None:
    """Others of them make another model of it, whose kept answers are others."""
    pulls = Pulls({"checkpoint": Converted()}, Path("/cache"))
    around = Surroundings(Path("/"), 0, EchoLoader(), pulls)
    record = ModelRecord("m", "", ModelFormat.HF, "org/repo")
    assert located(around, record) == Converted.model.files
    assert located(around, ModelRecord("m", "", ModelFormat.HF, "org/other")) == ()
    assert located(around, ModelRecord("m", "", ModelFormat.GGUF, "ollama://m")) == ()
