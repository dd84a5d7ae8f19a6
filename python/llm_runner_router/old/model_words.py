"""What formats and providers of models were called in 0.x to 1.1, and what today."""

from __future__ import annotations

from collections.abc import Mapping

OTHER_FORMATS: Mapping[str, str] = {"huggingface": "hf"}

OTHER_PROVIDERS: Mapping[str, str] = {
    "azure": "azure-openai",
    "cohere": "any-llm:cohere",
    "vertex-ai": "any-llm:vertexai",
    "bedrock": "any-llm:bedrock",
}
"""Providers of older versions that have another name here; ``any-llm`` is an extra."""


def format_word(said: object) -> object:
    """Today's word for a format, in whatever letters it is said; what is no text stays."""
    return present_word(said, OTHER_FORMATS)


def provider_word(said: object) -> object:
    """Today's word for a provider, in whatever letters it is said; what is no text stays."""
    return present_word(said, OTHER_PROVIDERS)


def present_word(said: object, others: Mapping[str, str]) -> object:
    """The word in small letters, or what ``others`` have in its place."""
    if not isinstance(said, str):
        return said
    word = said.strip().lower()
    return others.get(word, word)
