"""What Ollama says of a model's make, as labels.

``parameter_size`` is a text such as ``7B``: the number of weights, and never a context length.
"""

from __future__ import annotations

from collections.abc import Mapping

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.checks.line import check_line

MAX_LABEL = 128

OF_DETAILS: Mapping[str, str] = {
    "family": "family",
    "parameter_size": "parameter_size",
    "quantization_level": "quantization",
}
"""The keys of ``details`` in the answers of Ollama's API (``api/types.go``), and our labels."""

OF_CONFIGURATION: Mapping[str, str] = {
    "model_family": "family",
    "model_type": "parameter_size",
    "file_type": "quantization",
}
"""The keys of a model's configuration in its store (``types/model/config.go``), and our labels."""


def labels_of(values: object, names: Mapping[str, str]) -> dict[str, str]:
    """The labels that ``values`` give; there may be none, and ``values`` may be nothing at all."""
    if not isinstance(values, Mapping):
        return {}
    return {label: values[key] for key, label in names.items() if is_label(values.get(key))}


def is_label(value: object) -> bool:
    """Whether it is a short line of text."""
    try:
        check_line("label", value, MAX_LABEL)
    except InvalidRequestError:
        return False
    return True
