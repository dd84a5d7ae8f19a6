"""All models of Ollama that a command asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from llm_runner_router.migrate.ollama.model import Model
from llm_runner_router.migrate.ollama.served_models import ServedModels
from llm_runner_router.migrate.ollama.server import Server
from llm_runner_router.migrate.ollama.server_address import server_address
from llm_runner_router.migrate.ollama.stored_models import StoredModels
from llm_runner_router.migrate.ollama.stores import default_store, same_store, service_store
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.sources.fetcher import ProgressListener


async def found_models(
    store: Path | None,
    host: str | None,
    environment: Mapping[str, str],
    on_progress: ProgressListener,
    settled: Collection[str] = (),
) -> list[Model]:
    """Those of the server at ``host``, else those of ``store``, by default the usual one.

    ``settled`` are names of models that are registered already: their weights are not read again.

    RouterError where the store or the server is none; what is wrong with a model is told of it.
    """
    folder = default_store(environment) if store is None else store
    usual = same_store(folder, service_store(environment))
    stored = StoredModels(folder, on_progress, usual=usual, settled=settled)
    if host is None:
        return [model async for model in stored.all()]
    pool = HttpPool()
    try:
        server = Server(server_address(host), pool.httpx)
        return [model async for model in ServedModels(server, stored).all()]
    finally:
        await pool.close()
