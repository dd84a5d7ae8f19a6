from __future__ import annotations

import pytest

from llm_runner_router.errors import ModelNotFoundError
from llm_runner_router.registry.memory.residency_rules import ResidencyLimits, ResidencyRules
from llm_runner_router.registry.records import ModelConfig, ModelLimits, ModelRecord
from llm_runner_router.types import ModelFormat


def rules(config: ModelConfig, most: int | None = None) -> ResidencyRules:
    """The rules of a registry with the model ``m``."""
    record = ModelRecord("m", "", ModelFormat.GGUF, "m.gguf", config, limits=ModelLimits(most))

    def find(model: str) -> ModelRecord:
        if model != "m":
            raise ModelNotFoundError(model)
        return record

    return ResidencyRules(find, ResidencyLimits(lambda: 100, lambda: 60.0))


@pytest.mark.parametrize(
    ("config", "pinned", "timeout"),
    [
        (ModelConfig(), False, 60.0),
        (ModelConfig(idle_timeout=5.0), False, 5.0),
        (ModelConfig(idle_timeout=0.0), False, 0.0),
        (ModelConfig(pinned=False), False, 60.0),
        (ModelConfig(pinned=True, idle_timeout=5.0), True, 0.0),
    ],
)
def test_the_record_decides_where_it_says_something(
    config: ModelConfig, pinned: bool, timeout: float
) -> None:
    assert rules(config).pinned("m") is pinned
    assert rules(config).idle_timeout("m") == timeout
    assert rules(config, 3).concurrent_requests("m") == 3
    assert rules(config).memory_bytes() == 100


def test_a_model_that_is_gone_has_no_wishes() -> None:
    gone = rules(ModelConfig(pinned=True, idle_timeout=5.0), 3)
    assert not gone.pinned("other")
    assert gone.idle_timeout("other") == 60.0
    assert gone.concurrent_requests("other") is None


def test_without_limits_there_is_none() -> None:
    assert ResidencyLimits().memory_bytes() > 2**60
    assert ResidencyLimits().idle_timeout() == 0.0
