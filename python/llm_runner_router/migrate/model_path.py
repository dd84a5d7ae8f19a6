"""Where the file of a registered model lies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llm_runner_router.errors import RouterError
from llm_runner_router.registry.sources.file import absolute_path


def path_of(folder: Path, entry: object) -> str | None:
    """The file of an entry of the registry in ``folder``; ``None`` where its source is none."""
    source = entry.get("source") if isinstance(entry, Mapping) and "id" in entry else None
    if not isinstance(source, str):
        return None
    try:
        return str(absolute_path(source, folder.absolute()))
    except RouterError:
        return None
