"""The parameters of a model at Ollama, as the defaults of ours.

Their names and types are those of ``Options`` and ``Runner`` in Ollama's ``api/types.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from llm_runner_router.errors import InvalidRequestError, shorten
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.validation.request import (
    MAX_CONTEXT,
    check_count,
    check_sampling,
    check_stop,
    is_number,
)

MAX_GPU_LAYERS = 10_000
MAX_NOTED = 32


class Parameter(NamedTuple):
    """The field of ``ModelConfig`` that a parameter becomes.

    ``whole``: no fractions; ``negative_is_unset``: below 0 it says that Ollama shall choose.
    """

    field: str
    whole: bool = False
    negative_is_unset: bool = False


KNOWN: Mapping[str, Parameter] = {
    "temperature": Parameter("temperature"),
    "top_k": Parameter("top_k", whole=True),
    "top_p": Parameter("top_p"),
    "min_p": Parameter("min_p"),
    "repeat_penalty": Parameter("repeat_penalty"),
    "frequency_penalty": Parameter("frequency_penalty"),
    "presence_penalty": Parameter("presence_penalty"),
    "seed": Parameter("seed", whole=True, negative_is_unset=True),
    "num_ctx": Parameter("context_length", whole=True),
    "num_predict": Parameter("max_tokens", whole=True, negative_is_unset=True),
    "num_gpu": Parameter("gpu_layers", whole=True, negative_is_unset=True),
}


def with_parameters(
    config: ModelConfig, parameters: Mapping[str, object]
) -> tuple[ModelConfig, list[str]]:
    """``config`` with what can be taken over, and a note on each parameter that cannot."""
    notes = []
    for name, value in parameters.items():
        if value is None:
            continue
        try:
            if name == "stop":
                config = replace(config, stop=_stop(value))
            elif name in KNOWN:
                config = _with_parameter(config, name, value)
            else:
                notes.append(f"parameter {shorten(name)} ({shorten(value)}) has no counterpart")
        except InvalidRequestError as error:
            note = f"parameter {shorten(name)} ({shorten(value)}) is left out"
            notes.append(f"{note}; allowed: {error.allowed}")
    return config, _bounded(notes)


def with_trained_context(config: ModelConfig, trained: int | None) -> tuple[ModelConfig, list[str]]:
    """``config`` with a context that the weights can have, and a note where it had a longer one.

    ``trained``: what they were made for; ``None`` where that cannot be told.
    """
    said = config.context_length
    if said is None or trained is None or said <= trained:
        return config, []
    note = f"num_ctx {said} is {trained} here: the file was made for {trained}"
    return replace(config, context_length=trained), [note]


def _with_parameter(config: ModelConfig, name: str, value: object) -> ModelConfig:
    known = KNOWN[name]
    # Ollama reads its whole numbers as JSON numbers, with a fraction of zero or without.
    if known.whole and isinstance(value, float) and value.is_integer():
        value = int(value)
    if known.negative_is_unset and is_number(value) and value < 0:
        return config
    changes: dict[str, Any] = {known.field: value}
    changed = replace(config, **changes)
    check_sampling(changed)
    check_count(name, changed.context_length, 1, MAX_CONTEXT)
    check_count(name, changed.gpu_layers, 0, MAX_GPU_LAYERS)
    return changed


def _stop(value: object) -> tuple[str, ...]:
    texts = (value,) if isinstance(value, str) else value
    if not isinstance(texts, list | tuple):
        raise InvalidRequestError("stop", value, "a list of texts")
    check_stop(texts)
    return tuple(texts)


def _bounded(notes: list[str]) -> list[str]:
    if len(notes) <= MAX_NOTED:
        return notes
    return [*notes[:MAX_NOTED], f"and {len(notes) - MAX_NOTED} more parameters"]
