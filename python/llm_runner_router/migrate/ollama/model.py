"""A model of Ollama on its way into the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources.ollama.name import DEFAULT_TAG


class Way(StrEnum):
    """Who runs the model from now on: this service, on Ollama's own file, or Ollama's server."""

    IN_PLACE = "in place"
    SERVER = "by Ollama"


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that can be taken over. ``record`` has its short name at Ollama as the id.

    ``notes`` say in words what of it could not be taken over; ``weights`` is the file that lies on
    this machine. ``adapted``: LoRA adapters lie beside it, and only ``ollama://`` names them too.
    """

    record: ModelRecord
    way: Way
    notes: Sequence[str] = ()
    weights: Path | None = None
    adapted: bool = False

    @property
    def name(self) -> str:
        """Its name at Ollama, with the tag."""
        return self.record.id

    @property
    def alias(self) -> str | None:
        """The name without its tag, where Ollama lets that be left out."""
        name, _, tag = self.name.rpartition(":")
        return name if tag == DEFAULT_TAG else None


@dataclass(frozen=True, slots=True)
class RefusedModel:
    """A model that cannot be taken over, and why."""

    name: str
    reason: str


Model = FoundModel | RefusedModel
