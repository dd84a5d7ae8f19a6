"""Parameters of Ollama as defaults of ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.registry.checks.model import check_config
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.registry.sources.ollama.parameters import (
    MAX_NOTED,
    with_parameters,
    with_trained_context,
)

NOTHING = ModelConfig()
MADE = "the file was made for 128"


def taken(**parameters: Any) -> tuple[ModelConfig, list[str]]:
    config, notes = with_parameters(NOTHING, parameters)
    check_config(config)
    return config, notes


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("temperature", "temperature", 0.7),
        ("temperature", "temperature", 0),
        ("top_k", "top_k", 40),
        ("top_p", "top_p", 0.9),
        ("min_p", "min_p", 0.05),
        ("repeat_penalty", "repeat_penalty", 1.1),
        ("frequency_penalty", "frequency_penalty", -2.0),
        ("presence_penalty", "presence_penalty", 2.0),
        ("seed", "seed", 42),
        ("num_ctx", "context_length", 8192),
        ("num_predict", "max_tokens", 128),
        ("num_gpu", "gpu_layers", 0),
        ("num_gpu", "gpu_layers", 33),
    ],
)
def test_each_has_its_field(name: str, field: str, value: float) -> None:
    assert taken(**{name: value}) == (replace(NOTHING, **{field: value}), [])


def test_whole_numbers_may_be_written_with_a_fraction_of_zero() -> None:
    config, notes = taken(num_ctx=4096.0, top_k=20.0)
    assert (config.context_length, config.top_k, notes) == (4096, 20, [])
    assert type(config.context_length) is int


@pytest.mark.parametrize("name", ["seed", "num_predict", "num_gpu"])
@pytest.mark.parametrize("value", [-1, -2, -1.0])
def test_below_zero_ollama_chooses(name: str, value: float) -> None:
    assert taken(**{name: value}) == (NOTHING, [])


def test_stop_is_a_text_or_several() -> None:
    assert taken(stop=["<|end|>", "User:"])[0].stop == ("<|end|>", "User:")
    assert taken(stop="<|end|>")[0].stop == ("<|end|>",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", 2.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("temperature", "0.5"),
        ("temperature", True),
        ("top_k", -1),
        ("top_k", 1.5),
        ("top_p", 0),
        ("top_p", 1.01),
        ("repeat_penalty", 0),
        ("frequency_penalty", 2.5),
        ("seed", 2**32),
        ("seed", 1e300),
        ("num_ctx", 0),
        ("num_ctx", 2**40),
        ("num_ctx", [1]),
        ("num_predict", 0),
        ("num_gpu", 1_000_000),
        ("stop", ["x"] * 17),
        ("stop", [""]),
        ("stop", [7]),
        ("stop", 7),
        ("stop", {"a": "b"}),
    ],
)
def test_what_is_out_of_range_is_noted_and_left_out(name: str, value: object) -> None:
    config, notes = taken(**{name: value, "top_p": value if name == "top_p" else 0.5})
    expected = NOTHING if name == "top_p" else replace(NOTHING, top_p=0.5)
    assert config == expected
    (note,) = notes
    assert repr(name) in note
    assert "left out" in note
    assert "allowed: " in note


@pytest.mark.parametrize("name", ["mirostat", "num_keep", "repeat_last_n", "typical_p", "nonsense"])
def test_what_has_no_counterpart_is_noted(name: str) -> None:
    config, notes = taken(**{name: 7})
    assert config == NOTHING
    assert notes == [f"parameter {name!r} (7) has no counterpart"]


def test_nothing_said_is_nothing_set() -> None:
    assert taken(temperature=None, mirostat=None) == (NOTHING, [])


def test_notes_are_few_and_short() -> None:
    _, notes = taken(**{f"{index:04}" * 100: "x" * 10_000 for index in range(1000)})
    assert len(notes) == MAX_NOTED + 1
    assert notes[-1] == f"and {1000 - MAX_NOTED} more parameters"
    assert max(map(len, notes)) < 300


@pytest.mark.parametrize(
    ("said", "trained", "becomes"),
    [(8192, 128, 128), (129, 128, 128), (128, 128, 128), (64, 128, 64), (8192, None, 8192)],
)
def test_a_context_is_no_longer_than_the_weights_were_made_for(
    said: int, trained: int | None, becomes: int
) -> None:
    config, notes = with_trained_context(ModelConfig(context_length=said, seed=1), trained)
    assert config == ModelConfig(context_length=becomes, seed=1)
    assert notes == ([] if said == becomes else [f"num_ctx {said} is 128 here: {MADE}"])


def test_no_context_stays_the_one_of_the_file() -> None:
    assert with_trained_context(NOTHING, 128) == (NOTHING, [])
