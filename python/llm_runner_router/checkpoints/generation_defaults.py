"""The defaults of requests that come along with a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.errors import FieldError
from llm_runner_router.registry.records import ModelConfig
from llm_runner_router.validation.request import check_sampling

NAMES: Mapping[str, str] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "min_p": "min_p",
    "repetition_penalty": "repeat_penalty",
    "max_new_tokens": "max_tokens",
}
"""Settings of Transformers, and of ours."""

SAYS_NOTHING = frozenset(
    {
        *("eos_token_id", "bos_token_id", "pad_token_id", "decoder_start_token_id"),
        *("transformers_version", "_from_model_config", "do_sample", "max_length", "use_cache"),
        *("output_attentions", "output_hidden_states", "return_dict_in_generate", "output_scores"),
        "output_logits",
    }
)
"""What changes no answer here, or is told of on its own."""


def generation_defaults(settings: GenerationSettings) -> tuple[ModelConfig, list[str]]:
    """The defaults of requests, and what could not be taken over, in words.

    ``max_length`` counts prompt and answer together, where ours counts the answer alone: it cannot
    be a default of ours.
    """
    file, values = settings.file, settings.values
    notes: list[str] = []
    said: dict[str, Any] = {}
    for theirs, ours in NAMES.items():
        value = values.get(theirs)
        if value is None:
            continue
        if acceptable(ours, value):
            said[ours] = value
        else:
            notes.append(f"{file}: {theirs} {str(value)[:40]} is out of range here")
    if values.get("do_sample") is False:
        said["temperature"] = 0.0  # Transformers takes the likeliest token, whatever else is said
    if values.get("max_length") is not None:
        notes.append(
            f"{file}: max_length {str(values['max_length'])[:40]} counts prompt and answer; "
            "max_tokens of a request counts the answer alone"
        )
    rest = sorted(key for key, value in values.items() if is_left(key, value))
    notes += [f"{file}: {key[:60]} has no counterpart here" for key in rest]
    return ModelConfig(**said), notes


def is_left(key: str, value: object) -> bool:
    """Whether a setting would change answers, and has no place here."""
    return key not in NAMES and key not in SAYS_NOTHING and value not in (None, False, 0, 1, 1.0)


def acceptable(name: str, value: object) -> bool:
    """Whether a request might say it."""
    try:
        check_sampling(ModelConfig(**{name: value}))  # type: ignore[arg-type]
    except FieldError:
        return False
    return True
