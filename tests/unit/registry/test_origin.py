from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.registry.origin import outdated
from llm_runner_router.registry.records import Endpoint, ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat

BEHIND_API = ModelRecord("m", "", ModelFormat.API, "big", etag="1", provider="openai")
FILE = replace(BEHIND_API, format=ModelFormat.GGUF, provider="")


@pytest.mark.parametrize(
    ("loaded", "values", "expected"),
    [
        (BEHIND_API, {"source": "other"}, True),
        (BEHIND_API, {"endpoint": Endpoint("http://elsewhere")}, True),
        (BEHIND_API, {"config": ModelConfig(context_length=5)}, True),
        (BEHIND_API, {"format": ModelFormat.GGUF}, True),
        (BEHIND_API, {"config": ModelConfig(pinned=True, idle_timeout=3.0)}, False),
        (BEHIND_API, {"quality": 0.5}, False),
        (BEHIND_API, {"created": 5.0}, True),
        (FILE, {"source": "other"}, False),
        (FILE, {"created": 5.0}, True),
        (FILE, {"updated": 5.0}, False),
        (FILE, {"format": ModelFormat.API}, True),
    ],
)
def test_what_makes_a_provider_outdated(
    loaded: ModelRecord, values: dict[str, Any], expected: bool
) -> None:
    assert outdated(loaded, replace(loaded, etag="2", **values)) is expected
