# ruff: noqa: PLC0415 - `llm-router --help` should not wait for gRPC and the engine
"""The service that a command talks to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llm_runner_router.backend import Backend
from llm_runner_router.cli.options import CONNECT_SECONDS


@asynccontextmanager
async def connected(target: str) -> AsyncIterator[Backend]:
    """The service at ``target``, for as long as the block takes."""
    from llm_runner_router.remote import RemoteBackend

    backend = RemoteBackend(target, connect_timeout=CONNECT_SECONDS)
    try:
        await backend.initialize()
        yield backend
    finally:
        await backend.close()
