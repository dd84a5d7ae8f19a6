"""The pings in Anthropic's streams, which the official client leaves out."""

from __future__ import annotations

from collections.abc import AsyncIterator

# The client has no public name for the decoder that it makes of its streams.
from anthropic._streaming import ServerSentEvent, SSEDecoder

PASSED_ON = "message"
"""A kind of event that the client hands on whatever its data is."""

PING = '{"type": "ping"}'
"""What a ping says, also where a server says less."""


class PingDecoder(SSEDecoder):
    """Reads events, and lets pings come out of the client like any other: as signs of life."""

    async def aiter_bytes(self, iterator: AsyncIterator[bytes]) -> AsyncIterator[ServerSentEvent]:
        """The events in some bytes."""
        async for event in super().aiter_bytes(iterator):
            if event.event == "ping":
                yield ServerSentEvent(event=PASSED_ON, data=PING, id=event.id)
            else:
                yield event
