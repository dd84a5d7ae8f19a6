"""Of which format an old model is, by what it says or by where it lies; and its provider."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.draft import is_set
from llm_runner_router.old.model_names import spellings
from llm_runner_router.old.model_words import format_word, provider_word
from llm_runner_router.providers.known import known
from llm_runner_router.registry.checks.endpoint import check_address
from llm_runner_router.registry.sources.checkpoint.source import parse_checkpoint
from llm_runner_router.registry.sources.source import parse_source
from llm_runner_router.types import ModelFormat

ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
"""How a source begins that is no path."""


def stated_format(old: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """What the record calls its format, the older key first; ``None`` where it says nothing."""
    return next((old[key] for key in spellings("format") if is_set(old.get(key))), None)


def format_of(old: Mapping[str, Any]) -> ModelFormat | None:
    """The format of a model; ``None`` where it is unknown here, or cannot be told."""
    stated = stated_format(old)
    return format_named(stated) if is_set(stated) else told_format(old)


def format_named(word: object) -> ModelFormat | None:
    """The format of that name, in whatever letters."""
    name = format_word(word)
    return next((one for one in ModelFormat if one == name), None)


def told_format(old: Mapping[str, Any]) -> ModelFormat | None:
    """The format of a model that does not name it."""
    said = (old[key] for key in spellings("source") if old.get(key))
    source = str(next(said, "")).lower()
    if is_set(old.get("provider")) and not provider_fault(old):
        return ModelFormat.API
    local = source.endswith(".gguf") or source.startswith("ollama://")
    return ModelFormat.GGUF if local else None


def source_fault(old: Mapping[str, Any], kind: ModelFormat) -> str:
    """Why weights cannot come from where a model says that they are; empty where they can.

    Paths are left alone: they may be those of another machine, and the file be here.
    """
    said = next((old[key] for key in spellings("source") if is_set(old.get(key))), None)
    if said is None:
        return "has no source"
    if not isinstance(said, str) or not ADDRESS.match(said):
        return ""
    try:
        (parse_checkpoint if kind is ModelFormat.HF else parse_source)(said)
    except InvalidRequestError as error:
        return f"has a source that is none here; allowed: {error.allowed}"
    return ""


def provider_name(old: Mapping[str, Any]) -> object:
    """What the provider of a model is called here."""
    return provider_word(old.get("provider"))


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
