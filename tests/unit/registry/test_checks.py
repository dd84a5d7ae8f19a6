from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.registry.checks import changed, checked_record
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.types import ModelFormat
from unit.echoes import model


def test_defaults_are_filled_in() -> None:
    record = checked_record(replace(model("a"), capabilities=(), etag="old"))
    assert (record.name, record.capabilities, record.etag) == ("a", ("text-generation",), "")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("id", {"id": ""}),
        ("id", {"id": " x"}),
        ("id", {"id": "a\nb"}),
        ("id", {"id": "x" * 129}),
        ("name", {"name": "x" * 257}),
        ("source", {"source": ""}),
        ("source", {"source": "a\0"}),
        ("format", {"format": "gguf"}),
        ("config.context_length", {"config": ModelConfig(context_length=0)}),
        ("config.gpu_layers", {"config": ModelConfig(gpu_layers=-2)}),
        ("config.temperature", {"config": ModelConfig(temperature=3)}),
        ("config.max_tokens", {"config": ModelConfig(max_tokens=0)}),
        ("config.stop[0]", {"config": ModelConfig(stop=("",))}),
        ("capabilities[0]", {"capabilities": ("",)}),
        ("capabilities", {"capabilities": ("x",) * 65}),
        ("labels key", {"labels": {"": "x"}}),
        ("labels[k]", {"labels": {"k": "x" * 1025}}),
    ],
)
def test_wrong_fields_are_named(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_record(replace(model(), **values))
    assert caught.value.field == field


def test_other_formats_are_not_offered() -> None:
    with pytest.raises(UnsupportedError):
        checked_record(replace(model(), format=ModelFormat.HF))


def test_only_named_fields_change() -> None:
    present = checked_record(replace(model(), config=ModelConfig(top_k=3, temperature=0.5)))
    wanted = replace(model(), name="new", source="other", config=ModelConfig(temperature=0.0))
    record = changed(present, wanted, ["name", "config.temperature"])
    assert (record.name, record.source) == ("new", "m.gguf")
    assert record.config == ModelConfig(top_k=3, temperature=0.0)
    assert changed(present, wanted, ["config"]).config == ModelConfig(temperature=0.0)
    assert changed(present, wanted, ["config.top_k"]).config.top_k is None


@pytest.mark.parametrize("path", ["id", "etag", "loaded", "config.x", "config.", "name.x", ""])
def test_other_paths_are_refused(path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        changed(model(), model(), [path])
    assert caught.value.field == "update_mask"


def test_changes_are_checked() -> None:
    with pytest.raises(InvalidRequestError, match="temperature"):
        changed(
            model(), replace(model(), config=ModelConfig(temperature=5)), ["config.temperature"]
        )
