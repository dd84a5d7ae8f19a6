"""What tells a router from others, which may have other models by the same names."""

from __future__ import annotations

import json
import secrets
from hashlib import sha256

from llm_runner_router.config.tree import Config
from llm_runner_router.hidden import shown_address


def identity_of(target: str | None, config: Config | None) -> str:
    """Equal for routers that answer from the same models in the same way; it tells no password.

    A service is what its address says; a router whose models are kept in a registry, its whole
    configuration. One that has its models in its memory is like no other.
    """
    if target is not None:
        return f"target {shown_address(target)}"
    if config is None or (config.registry.path, config.registry.url) == (None, None):
        return f"memory {secrets.token_hex(16)}"
    values = config.nested()
    values["registry"]["url"] = shown_address(config.registry.url)
    return f"registry {sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()}"
