"""How the servers that speak OpenAI's API differ in what they take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OPENAI_NAMES: Mapping[str, str] = {"seed": "seed"}
SAMPLER_NAMES: Mapping[str, str] = {
    **OPENAI_NAMES,
    "top_k": "top_k",
    "min_p": "min_p",
    "repeat_penalty": "repetition_penalty",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one server takes.

    ``max_tokens`` is its name for the limit of a chat's answer. ``names`` are those of the fields
    that not every server takes; a field without one is refused, since servers ignore what they do
    not know. ``refused`` are fields that most take and this one does not. ``usage_option`` says
    whether it must, and may, be asked for the usage at the end of a stream.
    """

    max_tokens: str = "max_tokens"
    names: Mapping[str, str] = field(default_factory=lambda: OPENAI_NAMES)
    refused: frozenset[str] = frozenset()
    usage_option: bool = True


NEWEST = Dialect(max_tokens="max_completion_tokens")
WITH_SAMPLERS = Dialect(names=SAMPLER_NAMES)
PLAIN = Dialect()

DIALECTS: Mapping[str, Dialect] = {
    "openai": NEWEST,
    "azure-openai": NEWEST,
    "vllm": Dialect(names={**SAMPLER_NAMES, "ignore_eos": "ignore_eos"}),
    "llama-server": Dialect(
        names={
            **SAMPLER_NAMES,
            "repeat_penalty": "repeat_penalty",
            "ignore_eos": "ignore_eos",
        }
    ),
    "ollama-openai": Dialect(refused=frozenset(("logit_bias", "tool_choice"))),
    "openrouter": WITH_SAMPLERS,
    "together": WITH_SAMPLERS,
    "fireworks": WITH_SAMPLERS,
    "novita": WITH_SAMPLERS,
    "deepseek": Dialect(names={}, refused=frozenset(("logit_bias",))),
    "mistral": Dialect(
        names={"seed": "random_seed"},
        refused=frozenset(("logit_bias", "logprobs")),
        usage_option=False,
    ),
    "perplexity": Dialect(
        names={"top_k": "top_k"},
        refused=frozenset(("logit_bias", "logprobs", "tools", "stop")),
        usage_option=False,
    ),
}


def dialect_of(provider: str) -> Dialect:
    """What the provider of that name takes; OpenAI's older fields, where nothing else is known."""
    return DIALECTS.get(provider, PLAIN)
