"""What models and their settings were called in 0.x to 1.1 and in other tools, and what today.

Names are spelled as files spell them; programs may use snake_case for each.
"""

from __future__ import annotations

from collections.abc import Mapping

SHOWN_NAME = "displayName"
PARAMETERS = "parameters"
"""What held settings that belong to ``config`` today, among others that nothing reads."""

FIELDS: Mapping[str, str] = {SHOWN_NAME: "name", "path": "source", "type": "format"}
SETTINGS: Mapping[str, str] = {
    "context_length": "contextLength",
    "default_temperature": "temperature",
}
"""Settings that stood beside the others; they belong to ``config``."""

MEASURED: Mapping[str, str] = {"speed": "tokensPerSecond", "memory": "memoryUsage"}
"""What was declared; files have it under ``performance``, and a service measures it."""

MEASURED_NOW = "the performance that get_model has measured"

ASKED = ("model", "modelId", "model_id")
"""What names the model at its provider, in models that have no source, and in their settings."""

OLD_KEYS = frozenset({*FIELDS, *SETTINGS, *MEASURED, PARAMETERS})
"""What only models of older versions have."""

OTHER_SETTINGS: Mapping[str, str] = {
    "n_ctx": "contextLength",
    "max_new_tokens": "maxTokens",
    "repetition_penalty": "repeatPenalty",
    "repetitionPenalty": "repeatPenalty",
    "stop_sequences": "stop",
    "stopSequences": "stop",
    "stop_tokens": "stop",
    "n_gpu_layers": "gpuLayers",
    "system_prompt": "system",
    "systemPrompt": "system",
}
"""What other tools call settings of ours, and ``parameters`` may therefore have."""


def spellings(field: str) -> tuple[str, ...]:
    """All keys of a field, those of older versions first."""
    return (*(old for old, new in FIELDS.items() if new == field), field)
