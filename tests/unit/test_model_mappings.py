from __future__ import annotations

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.model_mappings import record_of_mapping
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat


def test_the_new_form_of_the_guide() -> None:
    model = {
        "id": "my-model",
        "name": "My Model",
        "format": "gguf",
        "source": "./models/model.gguf",
        "config": {"contextLength": 2048},
    }
    assert record_of_mapping(model, None, {}) == ModelRecord(
        "my-model",
        "My Model",
        ModelFormat.GGUF,
        "./models/model.gguf",
        ModelConfig(context_length=2048),
    )


def test_a_model_behind_an_api() -> None:
    model = {"id": "gpt", "name": "GPT", "format": "api", "provider": "openai"}
    record = record_of_mapping(model, None, {"quality": 0.5})
    assert (record.format, record.provider, record.source) == (ModelFormat.API, "openai", "gpt")
    assert record.quality == 0.5


def test_as_it_stands_in_a_registry_file() -> None:
    """Beside its fields are what was declared of it, and what a migration has put aside."""
    model = {"id": "m", "source": "m.gguf", "_unmapped": {"name": "n"}}
    plain = record_of_mapping({"id": "m", "source": "m.gguf"}, None, {})
    nothing = {"tokensPerSecond": None, "memoryUsage": None}
    assert record_of_mapping({**model, "performance": nothing}, None, {}) == plain
    with pytest.warns(DeprecationWarning, match="performance is deprecated: use the performance"):
        record = record_of_mapping({**model, "performance": {"tokensPerSecond": 0}}, None, {})
    assert record == plain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("path", "source"),
        ("type", "format"),
        ("displayName", "name"),
        ("context_length", "config.context_length"),
        ("default_temperature", "config.temperature"),
        ("parameters", "config"),
    ],
)
def test_names_of_add_model_are_told_todays(old: str, new: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"allowed: {new}, as it is called now"):
        record_of_mapping({"id": "m", "source": "x", old: "y"}, None, {})


def test_what_is_beside_the_mapping_goes_on_top() -> None:
    record = record_of_mapping({"id": "a", "source": "x", "name": "n"}, "y", {"name": "m"})
    assert (record.source, record.name) == ("y", "m")


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ({"source": "x"}, "model.id"),
        ({"id": 5, "source": "x"}, "model.id"),
        ({"id": "m"}, "source"),
        ({"id": "m", "source": "x", "path": "y"}, "model.path"),
        (
            {"id": "m", "source": "x", "contextLength": 5, "context_length": 6},
            "model.context_length",
        ),
        ({"id": "m", "source": "x", "format": "onnx"}, "format"),
        (5, "model"),
        ({"id": "m", "source": "x", "config": {"maxLengths": 50}}, "config.max_lengths"),
    ],
)
def test_mistakes_are_named(model: object, field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        record_of_mapping(model, None, {})
    assert caught.value.field == field
