"""Contexts of registered models, no longer than their files were made for.

Older versions gave 2048 tokens to models that named no context, and ran whatever was asked for. A
model that is asked for more than its file has would answer nothing here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_runner_router.inspection.trained_context import trained_context
from llm_runner_router.migrate.model_path import path_of

KEYS = ("contextLength", "context_length")


@dataclass(frozen=True, slots=True)
class FittedRegistry:
    """A registry document, the same one where nothing had to be changed, and notes on the rest."""

    content: Mapping[str, Any]
    notes: Sequence[str] = ()


def fitted_registry(folder: Path, registry: Mapping[str, Any]) -> FittedRegistry:
    """``registry`` with contexts that its models can have, as far as files of them can be read.

    Blocks, and reads headers.
    """
    models, notes = list(registry.get("models") or []), list[str]()
    for index, entry in enumerate(models):
        path = path_of(folder, entry)
        if said_of(entry) and path is not None and Path(path).is_file():
            models[index], more = fitted(f"models[{index}]", entry, trained_context(Path(path)))
            notes += more
    return (
        FittedRegistry({**registry, "models": models}, notes) if notes else FittedRegistry(registry)
    )


def fitted(
    where: str, entry: Mapping[str, Any], context: int | None
) -> tuple[Mapping[str, Any], list[str]]:
    """One model, and a note where it has changed. ``context`` is what its file was made for."""
    long = {key: said for key, said in said_of(entry).items() if context and said > context}
    made = f"the file was made for {context}"
    notes = [
        f"{where}.config.{key} is {context} now, not {said}: {made}" for key, said in long.items()
    ]
    if not long:
        return entry, []
    return {**entry, "config": entry["config"] | dict.fromkeys(long, context)}, notes


def said_of(entry: object) -> dict[str, int]:
    """The context that a model says, by its key: a wrong value is none, and is refused later."""
    config = entry.get("config") if isinstance(entry, Mapping) else None
    said = config if isinstance(config, Mapping) else {}
    return {key: said[key] for key in KEYS if type(said.get(key)) is int}
