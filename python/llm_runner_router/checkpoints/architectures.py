"""Which architectures can be converted: those that the engine runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llm_runner_router.checkpoints.blueprint import Blueprint
from llm_runner_router.checkpoints.faults import unsupported
from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.gpt2 import gpt2_blueprint
from llm_runner_router.checkpoints.llama import llama_blueprint
from llm_runner_router.checkpoints.safetensors_file import StoredTensor

Draw = Callable[[Fields, Mapping[str, StoredTensor]], Blueprint]
"""Makes the blueprint of a configuration and its tensors; the shapes of all are checked."""

BLUEPRINTS: Mapping[str, Draw] = {
    "LlamaForCausalLM": llama_blueprint,
    "MistralForCausalLM": llama_blueprint,
    "GPT2LMHeadModel": gpt2_blueprint,
}


def blueprint_of(config: Fields, tensors: Mapping[str, StoredTensor]) -> Blueprint:
    """What a checkpoint will be; UnsupportedError for other architectures and packed weights."""
    if config.has("quantization_config"):
        allowed = "weights of F32, F16 or BF16; name the model that it was made of"
        raise unsupported(f"{config.file}: quantization_config", "packed weights", allowed)
    match config.raw("architectures"):
        case [str(name)] if name in BLUEPRINTS:
            return BLUEPRINTS[name](config, tensors)
        case other:
            allowed = ", ".join(BLUEPRINTS)
            raise unsupported(f"{config.file}: architectures", other, allowed)
