"""What providers are made of."""

from __future__ import annotations

from dataclasses import replace

from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat


def registered_anew(loaded: ModelRecord, present: ModelRecord) -> bool:
    """Whether the model was removed since, and another registered under its id."""
    return loaded.created != present.created


def outdated(loaded: ModelRecord, present: ModelRecord) -> bool:
    """Whether what was made of ``loaded`` would answer otherwise than ``present`` wants.

    A file that runs here stays as it was loaded until it is loaded anew, since that takes long;
    unless it is that of another registration.
    """
    if registered_anew(loaded, present):
        return True
    if loaded.etag == present.etag or ModelFormat.API not in (loaded.format, present.format):
        return False
    return origin(loaded) != origin(present)


def origin(record: ModelRecord) -> tuple[object, ...]:
    """All that a provider is made of; how long it stays is not its own concern."""
    config = replace(record.config, pinned=None, idle_timeout=None)
    return record.format, record.source, record.provider, record.endpoint, config
