"""Models as v1.0 described them, by the guide's tables."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.old.models import MEASURED_NOW, renamed_model


@pytest.mark.parametrize(
    ("given", "meant", "told"),
    [
        (
            {"name": "my-model", "path": "./models/model.gguf", "type": "gguf"},
            {"id": "my-model", "name": "my-model", "source": "./models/model.gguf"}
            | {"format": "gguf"},
            {"path": "source", "type": "format"},
        ),
        (
            {"id": "a", "name": "b", "displayName": "C", "source": "x"},
            {"id": "a", "name": "C", "source": "x"},
            {"display_name": "name"},
        ),
        (
            {"name": "m", "context_length": 8, "default_temperature": 0},
            {"id": "m", "name": "m", "config": {"context_length": 8, "temperature": 0}},
            {
                "context_length": "config.context_length",
                "default_temperature": "config.temperature",
            },
        ),
        (
            {"name": "m", "parameters": {"topP": 0.5}, "config": {"seed": 1}},
            {"id": "m", "name": "m", "config": {"seed": 1, "top_p": 0.5}},
            {"parameters": "config"},
        ),
        (
            {"name": "m", "speed": 0, "memory": 5},
            {"id": "m", "name": "m"},
            {"speed": MEASURED_NOW, "memory": MEASURED_NOW},
        ),
        (
            {"name": "m", "provider": "openai", "capabilities": ["chat"]},
            {"id": "m", "name": "m", "provider": "openai", "capabilities": ["chat"]},
            {},
        ),
    ],
)
def test_each_name_has_its_place(
    given: dict[str, Any], meant: dict[str, Any], told: dict[str, str]
) -> None:
    found = renamed_model(given)
    assert found.values == meant
    assert found.renamed == told


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "m", "path": "a", "source": "b"}, "path"),
        ({"name": "m", "context_length": 8, "parameters": {"contextLength": 9}}, "context_length"),
        ({"name": "m", "config": {"top_p": 1}, "parameters": {"topP": 0.5}}, "parameters.top_p"),
        ({"name": "m", "parameters": "seven"}, "parameters"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        renamed_model(given)
    assert caught.value.field == field
