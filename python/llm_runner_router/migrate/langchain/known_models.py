"""The classes of models that LangChain knows, and what they are here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A provider of ours; ``usual`` is the model of an object that names none.

    ``plain`` models go on from texts: here the text is a message of the user.
    """

    provider: str
    usual: str = ""
    plain: bool = False


MODELS: Mapping[str, KnownModel] = {
    "ChatOpenAI": KnownModel("openai", "gpt-3.5-turbo"),
    "OpenAI": KnownModel("openai", "gpt-3.5-turbo-instruct", plain=True),
    "OpenAIChat": KnownModel("openai", "gpt-3.5-turbo"),
    "AzureChatOpenAI": KnownModel("azure-openai"),
    "AzureOpenAI": KnownModel("azure-openai", plain=True),
    "ChatAnthropic": KnownModel("anthropic"),
    "ChatAnthropicMessages": KnownModel("anthropic"),
    "AnthropicLLM": KnownModel("anthropic", plain=True),
    "ChatOllama": KnownModel("ollama"),
    "Ollama": KnownModel("ollama", "llama2", plain=True),
    "OllamaLLM": KnownModel("ollama", plain=True),
    "ChatGroq": KnownModel("groq"),
    "ChatMistralAI": KnownModel("mistral", "mistral-small"),
    "ChatTogether": KnownModel("together"),
    "Together": KnownModel("together", plain=True),
    "ChatFireworks": KnownModel("fireworks"),
    "Fireworks": KnownModel("fireworks", plain=True),
    "ChatDeepSeek": KnownModel("deepseek"),
    "ChatPerplexity": KnownModel("perplexity"),
    "ChatOpenRouter": KnownModel("openrouter"),
}

PLACES: Mapping[str, tuple[str, ...]] = {
    "source": ("azure_deployment", "deployment_name", "model_name", "model", "model_id"),
    "config.temperature": ("temperature",),
    "config.top_p": ("top_p",),
    "config.top_k": ("top_k",),
    "config.min_p": ("min_p",),
    "config.max_tokens": (
        *("max_tokens", "max_completion_tokens", "max_tokens_to_sample", "num_predict"),
    ),
    "config.seed": ("seed", "random_seed"),
    "config.frequency_penalty": ("frequency_penalty",),
    "config.presence_penalty": ("presence_penalty",),
    "config.repeat_penalty": ("repeat_penalty", "repetition_penalty"),
    "config.stop": ("stop", "stop_sequences", "stop_tokens"),
    "config.context_length": ("num_ctx",),
    "endpoint.base_url": (
        *("base_url", "openai_api_base", "anthropic_api_url", "groq_api_base", "endpoint"),
        *("azure_endpoint", "fireworks_api_base", "together_api_base", "api_base"),
    ),
    "endpoint.organization": ("openai_organization", "organization"),
    "endpoint.api_version": ("openai_api_version", "api_version"),
}
"""Where a record has what; of several names that say something the first counts.

Azure answers for deployments; the name of a model beside one is a remark there.
"""

OPTIONS = ("model_kwargs", "extra_body")
"""Further fields of the provider's API."""

NO_LIMIT = -1
"""LangChain's ``max_tokens`` where there is none."""
