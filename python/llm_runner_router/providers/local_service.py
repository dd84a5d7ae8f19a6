"""What holds for all models that run in a service."""

from __future__ import annotations

from dataclasses import dataclass

from llm_runner_router.config.tree import EngineConfig
from llm_runner_router.providers.kv_snapshots import KvSnapshots


@dataclass(frozen=True, slots=True)
class LocalService:
    """The settings beside those of a record.

    ``kv_bytes`` is the most that a KV cache may take where the configuration says nothing, so
    that the estimate of a model and its load agree; 0 leaves it to the core. With ``snapshots``,
    what models have cached outlives their time in memory.
    """

    engine: EngineConfig
    kv_bytes: int = 0
    snapshots: KvSnapshots | None = None
