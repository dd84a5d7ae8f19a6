"""The rotary embedding of config.json: ``rope_parameters`` (5.x), or ``rope_scaling`` (4.x)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from llm_runner_router.checkpoints.faults import unsupported
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.layouts import Computed, PlannedTensor
from llm_runner_router.tokenizer.metadata import MetadataValue

ALLOWED = "default, linear, llama3"
BASE = 10000.0


@dataclass(frozen=True, slots=True)
class Rotation:
    """Metadata below ``llama.rope.``, and the divisors of the frequencies where there are some."""

    metadata: Mapping[str, MetadataValue]
    divisors: PlannedTensor | None = None


def rotation_of(config: Fields, dimensions: int) -> Rotation:
    """What a configuration says; UnsupportedError for kinds of scaling that are not known here.

    Args:
        config: that of the model.
        dimensions: of a head.
    """
    parameters = config.part("rope_parameters")
    scaling = parameters if parameters.has("rope_type") else config.part("rope_scaling")
    theta = config if config.has("rope_theta") else parameters
    base = theta.number("rope_theta", BASE)
    parameters.require("partial_rotary_factor", 1.0, 1.0, 1)
    config.require("partial_rotary_factor", 1.0, 1.0, 1)
    metadata: dict[str, MetadataValue] = {"freq_base": base, "dimension_count": dimensions}
    kind = scaling.text("rope_type", scaling.text("type", "default"))
    match kind:
        case "default":
            return Rotation(metadata)
        case "linear":
            factor = scaling.number("factor")
            return Rotation({**metadata, "scaling.type": "linear", "scaling.factor": factor})
        case "llama3":
            return Rotation(metadata, llama3_divisors(scaling, base, dimensions))
        case _:
            raise unsupported(f"{scaling.file}: rope_type", kind, ALLOWED)


def llama3_divisors(scaling: Fields, base: float, dimensions: int) -> PlannedTensor:
    """Llama 3.1's: low frequencies are divided by the factor, high ones stay, with a slope between.

    The formula is that of Transformers' ``rope_type`` ``llama3``.
    """
    factor = scaling.number("factor")
    low, high = scaling.number("low_freq_factor"), scaling.number("high_freq_factor")
    context = scaling.count("original_max_position_embeddings")
    if low >= high:
        raise scaling.wrong("low_freq_factor", "less than high_freq_factor")
    frequencies = base ** -(np.arange(0, dimensions, 2, dtype=np.float64) / dimensions)
    turns = context * frequencies / (2 * math.pi)
    slope = np.clip((turns - low) / (high - low), 0.0, 1.0)
    divisors = 1.0 / ((1.0 - slope) / factor + slope)
    values = divisors.astype(np.float32)
    return PlannedTensor("rope_freqs.weight", values.shape, Computed(values))
