from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router._core import CoreError, quantize
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.checks.model import changed, checked_record
from llm_runner_router.registry.records import (
    QUANTIZATIONS,
    Endpoint,
    ModelConfig,
    ModelRecord,
    Pricing,
)
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
        ("owner", {"owner": "a\0"}),
        ("owner", {"owner": "\ud83d"}),
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


def test_models_of_any_format_are_kept() -> None:
    record = replace(model(), format=ModelFormat.HF, source="org/model")
    assert checked_record(record).format is ModelFormat.HF
    with pytest.raises(InvalidRequestError, match="none for models of format hf"):
        checked_record(replace(record, provider="openai"))


@pytest.mark.parametrize("name", ["m@1", "a/b:c@v1.2-rc"])
def test_ids_may_have_a_version(name: str) -> None:
    assert checked_record(model(name)).id == name


@pytest.mark.parametrize("name", ["@1", "m@", "m@1@2", "@"])
def test_a_version_has_a_name_and_the_name_a_version(name: str) -> None:
    with pytest.raises(InvalidRequestError, match="name@version"):
        checked_record(model(name))


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


def api(**values: Any) -> ModelRecord:
    defaults = {"format": ModelFormat.API, "source": "gpt-4o", "provider": "openai"}
    return replace(model(), **(defaults | values))


@pytest.mark.parametrize("provider", ["openai", "echo", "any-llm:bedrock"])
def test_models_of_providers(provider: str) -> None:
    record = api(provider=provider, quality=1, pricing=Pricing(0, 0.5, reasoning=2))
    assert checked_record(record) == replace(record, name="m")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("provider", {"provider": ""}),
        ("provider", {"provider": "opnai"}),
        ("provider", {"provider": "any-llm:"}),
        ("provider", {"provider": "any-llm:a\nb"}),
        ("provider", {"provider": None}),
        ("endpoint.base_url", {"endpoint": Endpoint("ftp://x")}),
        ("pricing.input", {"pricing": Pricing(-1, 1)}),
        ("pricing.output", {"pricing": Pricing(1, float("nan"))}),
        ("pricing.output", {"pricing": Pricing(1, None)}),
        ("pricing.reasoning", {"pricing": Pricing(1, 1, reasoning=float("inf"))}),
        ("quality", {"quality": 1.1}),
        ("quality", {"quality": -0.1}),
    ],
)
def test_wrong_fields_of_api_models_are_named(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_record(api(**values))
    assert caught.value.field == field


def test_an_unknown_provider_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match=r"anthropic, .*any-llm:NAME"):
        checked_record(api(provider="opnai"))


@pytest.mark.parametrize(
    ("field", "values"),
    [("provider", {"provider": "openai"}), ("endpoint", {"endpoint": Endpoint("http://x")})],
)
def test_files_have_no_provider(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked_record(replace(model(), **values))
    assert caught.value.field == field


def test_parts_of_an_endpoint_change() -> None:
    present = api(endpoint=Endpoint("http://x", "env:A"))
    wanted = api(endpoint=Endpoint("http://y", "env:B"), quality=0.5, pricing=Pricing(1, 2))
    record = changed(present, wanted, ["endpoint.api_key", "quality", "pricing"])
    assert record.endpoint == Endpoint("http://x", "env:B")
    assert (record.quality, record.pricing) == (0.5, Pricing(1, 2))
    with pytest.raises(InvalidRequestError, match=r"endpoint\.api_key"):
        changed(present, wanted, ["endpoint.key"])


def test_only_checkpoints_are_quantised_here() -> None:
    config = ModelConfig(quantization="Q4_K_M")
    checkpoint = replace(model(), format=ModelFormat.HF, config=config)
    assert checked_record(checkpoint).config.quantization == "Q4_K_M"
    with pytest.raises(InvalidRequestError, match=r"config\.quantization.*format gguf"):
        checked_record(replace(model(), config=config))
    with pytest.raises(InvalidRequestError, match=r"config\.quantization.*F32, F16, Q8_0"):
        checked_record(replace(checkpoint, config=ModelConfig(quantization="q4_k_m")))


def test_the_names_of_quantisations_are_those_of_the_core(tmp_path: Path) -> None:
    with pytest.raises(CoreError) as caught:
        quantize(tmp_path / "a", tmp_path / "b", "Q9", lambda *_: True, 1, replace=False)
    named = caught.value.message.partition("allowed: ")[2].split(", ")
    assert {*named, "F32"} == set(QUANTIZATIONS)
