"""A backend that remembers what it was asked and answers what it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from llm_runner_router.backend import Backend
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.server.app import Server, ServerOptions


class RecordingBackend:
    """Any method of Backend that is not a stream; an answer that is an error is raised."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        self._answers = answers
        self.calls: list[tuple[object, ...]] = []

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        async def method(*arguments: object) -> object:
            self.calls.append((name, *arguments))
            answer = self._answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer

        return method


@asynccontextmanager
async def served(
    answers: Mapping[str, object],
) -> AsyncIterator[tuple[RecordingBackend, RemoteBackend]]:
    """The backend, and a client that reaches it through a server on loopback."""
    backend: Any = RecordingBackend(answers)
    server = Server(cast("Backend", backend), ServerOptions(port=0, drain_timeout=5.0))
    await server.start()
    remote = RemoteBackend(server.address)
    try:
        await remote.initialize()
        yield backend, remote
    finally:
        await remote.close()
        await server.stop()
