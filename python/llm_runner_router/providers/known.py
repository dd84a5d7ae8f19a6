"""The providers that a record may name, and what is known of each in advance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from llm_runner_router.errors import InvalidRequestError

ANY_LLM_PREFIX = "any-llm:"


@dataclass(frozen=True, slots=True)
class KnownProvider:
    """A provider of models.

    ``kind`` is the API that it speaks and names the class that speaks it. ``base_url`` is where it
    is reached unless a record says otherwise; ``None``: the record must say, or the kind has none.
    ``key_variable`` is the environment variable that holds its key by custom. ``prices_id`` is its
    id in the published prices.
    """

    name: str
    kind: str
    base_url: str | None = None
    key_variable: str | None = None
    prices_id: str | None = None


def openai_api(
    name: str, base_url: str | None, key_variable: str | None = None, prices_id: str | None = None
) -> KnownProvider:
    """A provider that speaks OpenAI's API."""
    return KnownProvider(name, "openai", base_url, key_variable, prices_id)


PROVIDERS: Mapping[str, KnownProvider] = {
    provider.name: provider
    for provider in (
        openai_api("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "openai"),
        openai_api("azure-openai", None, "AZURE_OPENAI_API_KEY", "azure"),
        openai_api("groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY", "groq"),
        openai_api("together", "https://api.together.xyz/v1", "TOGETHER_API_KEY", "together"),
        openai_api(
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            "FIREWORKS_API_KEY",
            "fireworks",
        ),
        openai_api("deepseek", "https://api.deepseek.com/v1", "DEEPSEEK_API_KEY", "deepseek"),
        openai_api(
            "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY", "openrouter"
        ),
        openai_api("mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "mistral"),
        openai_api("perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", "perplexity"),
        openai_api("novita", "https://api.novita.ai/openai/v1", "NOVITA_API_KEY", "novita"),
        openai_api("vllm", "http://127.0.0.1:8000/v1"),
        openai_api("llama-server", "http://127.0.0.1:8080/v1"),
        openai_api("tgi", "http://127.0.0.1:3000/v1"),
        openai_api("ollama-openai", "http://127.0.0.1:11434/v1"),
        openai_api("openai-compatible", None),
        KnownProvider(
            "anthropic", "anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", "anthropic"
        ),
        KnownProvider("ollama", "ollama", "http://127.0.0.1:11434"),
        KnownProvider("remote", "remote"),
        KnownProvider("echo", "echo"),
    )
}


def known(name: str) -> KnownProvider:
    """The provider of that name; ``any-llm:NAME`` is any that the any-llm library reaches.

    InvalidRequestError names the field ``provider`` where there is none.
    """
    if name.startswith(ANY_LLM_PREFIX) and len(name) > len(ANY_LLM_PREFIX):
        return KnownProvider(name, "any-llm", prices_id=name.removeprefix(ANY_LLM_PREFIX))
    found = PROVIDERS.get(name)
    if found is None:
        allowed = f"one of {', '.join(PROVIDERS)}, {ANY_LLM_PREFIX}NAME"
        raise InvalidRequestError("provider", name, allowed)
    return found
