"""Where Ollama keeps its models on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "OLLAMA_MODELS"
OF_THE_USER = "~/.ollama/models"
OF_THE_SYSTEM = "/usr/share/ollama/.ollama/models"
"""Where it keeps them when its installer on Linux has made it a service of the system."""


def service_store(configured: str | None, environment: Mapping[str, str]) -> Path:
    """The store that a service of this machine reads: as ``models.ollamaDir``, else by default."""
    return Path(configured or environment.get(VARIABLE) or OF_THE_USER).expanduser()


def default_store(environment: Mapping[str, str]) -> Path:
    """The store of whoever names none: the variable's, the user's own, or the system's."""
    if environment.get(VARIABLE):
        return Path(environment[VARIABLE]).expanduser()
    own, system = Path(OF_THE_USER).expanduser(), Path(OF_THE_SYSTEM)
    return system if system.is_dir() and not own.is_dir() else own


def same_store(one: Path, other: Path) -> bool:
    """Whether both are one folder, whatever links lead there."""
    return one.resolve() == other.resolve()
