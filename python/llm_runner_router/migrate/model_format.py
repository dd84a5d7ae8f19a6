"""Of which format an old model is, by what it says or by where it lies; and its provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.draft import is_set
from llm_runner_router.providers.known import known
from llm_runner_router.registry.checks.endpoint import check_address
from llm_runner_router.types import ModelFormat

OTHER_FORMATS: Mapping[str, ModelFormat] = {"huggingface": ModelFormat.HF}

OTHER_PROVIDERS: Mapping[str, str] = {
    "azure": "azure-openai",
    "cohere": "any-llm:cohere",
    "vertex-ai": "any-llm:vertexai",
    "bedrock": "any-llm:bedrock",
}
"""Providers of older versions that have another name here; ``any-llm`` is an extra."""


def stated_format(old: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """What the record calls its format, the older key first; ``None`` where it says nothing."""
    return old["type"] if is_set(old.get("type")) else old.get("format")


def format_of(old: Mapping[str, Any]) -> ModelFormat | None:
    """The format of a model; ``None`` where it is unknown here, or cannot be told."""
    stated = stated_format(old)
    return format_named(stated) if is_set(stated) else told_format(old)


def format_named(word: object) -> ModelFormat | None:
    """The format of that name, in whatever letters."""
    if not isinstance(word, str):
        return None
    name = word.strip().lower()
    return OTHER_FORMATS.get(name) or next((one for one in ModelFormat if one == name), None)


def told_format(old: Mapping[str, Any]) -> ModelFormat | None:
    """The format of a model that does not name it."""
    source = str(old.get("path") or old.get("source") or "").lower()
    if is_set(old.get("provider")) and not provider_fault(old):
        return ModelFormat.API
    local = source.endswith(".gguf") or source.startswith("ollama://")
    return ModelFormat.GGUF if local else None


def provider_name(old: Mapping[str, Any]) -> object:
    """What the provider of a model is called here."""
    name = old.get("provider")
    word = name.strip().lower() if isinstance(name, str) else ""
    return OTHER_PROVIDERS.get(word, word) if isinstance(name, str) else name


def provider_fault(old: Mapping[str, Any]) -> str:
    """Why the provider of a model cannot be asked; empty where it can."""
    name = provider_name(old)
    if not isinstance(name, str) or not name:
        return "no provider"
    endpoint = old.get("endpoint")
    said = endpoint if isinstance(endpoint, Mapping) else {}
    try:
        check_address(said.get("baseUrl", said.get("base_url")), known(name))
    except InvalidRequestError as error:
        return error.message
    return ""
