"""Which files of a repository of the hub are a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.registry.sources.gguf_magic import check_gguf
from llm_runner_router.registry.sources.hub.files import HubFile, chosen, is_weights
from llm_runner_router.registry.sources.source import HubSource


@dataclass(frozen=True, slots=True)
class HubChoice:
    """One kind of model.

    ``files`` are those of the model that a source means, the one to load first; SourceError where
    there is none. ``counts`` says of a name whether it may be one of them, and ``check`` looks at a
    file that has come and raises SourceError where it is of another kind.
    """

    files: Callable[[Iterable[HubFile], HubSource], tuple[HubFile, ...]]
    counts: Callable[[str], bool]
    check: Callable[[Path], None]


WEIGHTS = HubChoice(chosen, is_weights, check_gguf)
"""GGUF files."""
