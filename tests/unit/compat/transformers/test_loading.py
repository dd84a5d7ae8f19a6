from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.compat.transformers.loading import quantization_of
from llm_runner_router.errors import InvalidRequestError


class Made:
    """A tokenizer as AutoTokenizer makes it."""

    def __init__(self, name: str) -> None:
        self.name_or_path = name


class Device:
    def __str__(self) -> str:
        return "cpu"


@pytest.mark.parametrize(
    ("arguments", "quantization"),
    [
        ({}, None),
        ({"dtype": "torch.float16"}, "F16"),
        ({"torch_dtype": "float32"}, "F32"),
        ({"model_kwargs": {"torch_dtype": "bfloat16", "low_cpu_mem_usage": True}}, "F16"),
        ({"dtype": "float32", "model_kwargs": {"dtype": "float16"}}, "F32"),
        ({"trust_remote_code": False, "use_fast": True, "device": Device()}, None),
        ({"model_kwargs": {"attn_implementation": "sdpa", "device_map": "auto"}}, None),
        ({"tokenizer": "org/tiny"}, None),
        ({"tokenizer": Path("org/tiny")}, None),
        ({"tokenizer": Made("org/tiny")}, None),
    ],
    ids=str,
)
def test_what_may_be_said(arguments: dict[str, Any], quantization: str | None) -> None:
    assert quantization_of(arguments, "org/tiny") == quantization


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("trust_remote_code", {"trust_remote_code": True}),
        ("use_safetensors", {"model_kwargs": {"use_safetensors": False}}),
        ("device_map", {"model_kwargs": {"device_map": {"": 0}}}),
        ("device", {"device": 0}),
        ("model_kwargs.load_in_8bit", {"model_kwargs": {"load_in_8bit": True}}),
        ("model_kwargs", {"model_kwargs": 3}),
        ("tokenizer", {"tokenizer": "org/other"}),
        ("tokenizer", {"tokenizer": Made("org/other")}),
        ("tokenizer", {"tokenizer": object()}),
        ("dtype", {"model_kwargs": {"torch_dtype": "int4"}}),
    ],
    ids=str,
)
def test_what_would_be_something_else_is_refused(name: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name}:"):
        quantization_of(arguments, "org/tiny")
