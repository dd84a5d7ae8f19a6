"""A configuration as LangChain's dumps and tracers may see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_runner_router.config.errors import SECRETS, hidden_address
from llm_runner_router.config.tree import Config


def shown_config(config: Mapping[str, Any] | Config) -> dict[str, Any]:
    """The plain values of ``config``; addresses that may hold a password are hidden."""
    values = config.model_dump(exclude_unset=True) if isinstance(config, Config) else config
    shown = dict(values)
    for section, key in SECRETS:
        inner = shown.get(section)
        if isinstance(inner, Mapping) and inner.get(key) is not None:
            shown[section] = {**inner, key: hidden_address(inner[key])}
    return shown
