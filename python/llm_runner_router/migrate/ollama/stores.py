"""Where Ollama keeps its models on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from llm_runner_router.local_path import expanded

VARIABLE = "OLLAMA_MODELS"
OF_THE_USER = "~/.ollama/models"
OF_THE_SYSTEM = "/usr/share/ollama/.ollama/models"
"""Where it keeps them when its installer on Linux has made it a service of the system."""


def service_store(environment: Mapping[str, str]) -> Path:
    """The store that a service of this machine reads unless ``models.ollamaDir`` says otherwise."""
    return expanded(environment.get(VARIABLE) or OF_THE_USER)


def default_store(environment: Mapping[str, str]) -> Path:
    """The store of whoever names none: the variable's, the user's own, or the system's."""
    usual, system = service_store(environment), Path(OF_THE_SYSTEM)
    if environment.get(VARIABLE) or usual.is_dir() or not system.is_dir():
        return usual
    return system


def same_store(one: Path, other: Path) -> bool:
    """Whether both are one folder, whatever links lead there."""
    return one.resolve() == other.resolve()
