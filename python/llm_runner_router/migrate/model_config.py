"""The entry of a model that was a file, and the configuration that lies beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_runner_router.migrate.model_entry import TEMPERATURE

SHAPE = ("id", "name", "format", "source", "config")
"""What a model's configuration says."""


def new_entry(identity: str, stem: str, source: str, context: int | None) -> dict[str, Any]:
    """The entry of a model that no registry knows, as the migration guide has it."""
    config = {} if context is None else {"contextLength": context}
    return {
        "id": identity,
        "name": stem[0].upper() + stem[1:],
        "format": "gguf",
        "source": source,
        "config": {**config, "temperature": TEMPERATURE},
    }


def config_bytes(entry: Mapping[str, Any], context: int | None) -> bytes:
    """The configuration of a model of the registry; the context is the file's unless it says."""
    content = {key: entry[key] for key in SHAPE if key in entry}
    config = content.get("config")
    if context is not None and isinstance(config, Mapping | None):
        content["config"] = {"contextLength": context, **(config or {})}
    return (json.dumps(content, ensure_ascii=False, indent=4) + "\n").encode()
