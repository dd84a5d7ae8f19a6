"""What the environment says of the Hugging Face hub, in the words of the hub's own library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.local_path import expanded

DEFAULT_ENDPOINT = "https://huggingface.co"
TRUE = frozenset({"1", "ON", "YES", "TRUE"})


@dataclass(frozen=True, slots=True)
class HubSettings:
    """Where the hub answers, where its library keeps its files, and whether it may be asked."""

    endpoint: str
    cache: Path
    offline: bool


def hub_settings(environment: Mapping[str, str]) -> HubSettings:
    """From HF_ENDPOINT; HF_HUB_CACHE, HF_HOME; HF_HUB_OFFLINE, as they are now."""
    endpoint = environment.get("HF_ENDPOINT", "").rstrip("/") or DEFAULT_ENDPOINT
    if not endpoint.startswith(("https://", "http://")) or "@" in endpoint:
        # It may hold a password: it is not shown.
        raise InvalidConfigError("HF_ENDPOINT", "…", "https://host[:port][/path]")
    offline = environment.get("HF_HUB_OFFLINE") or environment.get("TRANSFORMERS_OFFLINE") or ""
    return HubSettings(endpoint, _cache(environment), offline.upper() in TRUE)


def _cache(environment: Mapping[str, str]) -> Path:
    named = environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return _path(named)
    base = environment.get("XDG_CACHE_HOME") or "~/.cache"
    return _path(environment.get("HF_HOME") or f"{base}/huggingface") / "hub"


def _path(text: str) -> Path:
    return expanded(os.path.expandvars(text))
