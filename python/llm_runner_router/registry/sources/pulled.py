"""A model whose files lie on this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from llm_runner_router.registry.records import ModelConfig


@dataclass(frozen=True, slots=True)
class PulledModel:
    """What a source has given.

    ``path`` is the file to load; of a sharded set, the first. ``config`` is what came along with
    the weights, such as a system prompt, and ``labels`` what only its callers need; ``notes`` say
    in words what could not be taken over.
    ``in_place``: the files belong to somebody else and lie where they lay; all others lie in the
    folder of downloads. ``adapters`` are LoRA adapters as GGUF, which belong to the model whole.
    """

    path: Path
    config: ModelConfig = field(default_factory=ModelConfig)
    notes: Sequence[str] = ()
    in_place: bool = False
    adapters: Sequence[Path] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> tuple[Path, ...]:
        """What the answers of the model depend on; of a sharded set, the first file."""
        return self.path, *self.adapters
