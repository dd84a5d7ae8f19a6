"""Arguments of ``pipeline`` that say how a model is loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping

from llm_runner_router.compat.transformers.parameters import check_names
from llm_runner_router.errors import InvalidRequestError

ELEMENTS = {"float32": "F32", "float16": "F16", "bfloat16": "F16", "auto": None}
"""What Transformers calls the type of the weights, and what they become here."""

TYPES = frozenset({"dtype", "torch_dtype"})
MODEL_KWARGS = "model_kwargs"
TOKENIZER = "tokenizer"
HERE = (None, -1, "cpu", "auto")
ACCELERATORS = "cpu or auto: accelerators are configured by engine.gpuLayers"
CHANGES_NOTHING: Mapping[str, tuple[tuple[object, ...], str]] = {
    "device": (HERE, ACCELERATORS),
    "device_map": (HERE, ACCELERATORS),
    "framework": ((None, "pt"), "pt"),
    "trust_remote_code": ((None, False), "false: no code of a model is ever run"),
    "use_safetensors": ((None, True), "true: pickled weights are never opened"),
    "use_fast": ((None, True, False), "true or false"),
    "low_cpu_mem_usage": ((None, True, False), "true or false"),
    "attn_implementation": (
        (None, "eager", "sdpa", "flash_attention_2"),
        "eager, sdpa or flash_attention_2: attention is that of the engine",
    ),
}
"""Arguments of which these values mean what is done here anyway; and what is said otherwise."""

LOADING = frozenset({*CHANGES_NOTHING, *TYPES, MODEL_KWARGS, TOKENIZER})


def quantization_of(arguments: Mapping[str, object], model: str) -> str | None:
    """The quantisation that ``dtype`` means.

    InvalidRequestError names an argument of ``LOADING``, or one of its ``model_kwargs``, that asks
    for anything else. ``model`` is that of the pipeline.
    """
    values = {**kwargs_of(arguments.get(MODEL_KWARGS)), **arguments}
    for name, (allowed, otherwise) in CHANGES_NOTHING.items():
        value = values.get(name)
        if value not in allowed and str(value) not in allowed:  # as torch.device("cpu")
            raise InvalidRequestError(name, value, otherwise)
    check_tokenizer(arguments.get(TOKENIZER), model)
    return element_of(values.get("dtype") or values.get("torch_dtype") or "auto")


def kwargs_of(value: object) -> Mapping[str, object]:
    """``model_kwargs``, of which each is one of ours too."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequestError(MODEL_KWARGS, value, "arguments by name")
    check_names(f"{MODEL_KWARGS}.", value, LOADING - {MODEL_KWARGS, TOKENIZER})
    return value


def check_tokenizer(value: object, model: str) -> None:
    """The model's own tokenizer: by its name, or as an object that was made of it."""
    name = getattr(value, "name_or_path", value)
    if value is not None and (not isinstance(name, str | os.PathLike) or os.fspath(name) != model):
        raise InvalidRequestError(TOKENIZER, name, f"that of the model, {model}")


def element_of(value: object) -> str | None:
    """The quantisation that a type of Transformers means."""
    name = str(value).removeprefix("torch.")
    if name not in ELEMENTS:
        raise InvalidRequestError("dtype", value, ", ".join(ELEMENTS))
    return ELEMENTS[name]
