"""Writing to a client that may have stopped reading."""

from __future__ import annotations

import asyncio

from google.protobuf.message import Message

from llm_runner_router.backend import Backend
from llm_runner_router.errors import TimeLimitError
from llm_runner_router.server.calls import ServicerContext


class Writer:
    """Writes the messages of one call; each must be taken within ``timeout_ms``.

    HTTP/2 stops whoever writes to a client that does not read. Were it for ever, a few such clients
    would hold all places among the requests that run.
    """

    def __init__(self, context: ServicerContext, timeout_ms: int) -> None:
        self._context = context
        self._timeout_ms = timeout_ms

    @classmethod
    async def of(cls, context: ServicerContext, backend: Backend) -> Writer:
        """With ``performance.timeout`` as it is now."""
        config = await backend.get_config()
        return cls(context, config["performance"]["timeout"])

    async def write(self, message: Message) -> None:
        """Write one message; TimeLimitError where the client does not take it in time."""
        try:
            async with asyncio.timeout(self._timeout_ms / 1000.0):
                await self._context.write(message)
        except TimeoutError:
            reason = f"the client took nothing for {self._timeout_ms} ms (performance.timeout)"
            raise TimeLimitError(reason) from None
