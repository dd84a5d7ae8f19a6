"""The data of server-sent events, out of bytes as they come."""

from __future__ import annotations

MAX_EVENT_BYTES = 16_777_216
"""A server that never ends a line must not fill the memory."""


class EventLines:
    """Cuts a stream into the values of its ``data`` lines.

    The providers' APIs put an event's data into one line, and what kind it is into the data itself:
    so each line with data is an event, and all others are left out. ValueError: a line without end.
    """

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The values that ``data`` completes."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ValueError
        return [line[5:].strip() for line in lines if line.startswith(b"data:")]
