"""Text that others wrote, made fit to be sent."""

from __future__ import annotations

MAX_MESSAGE = 1000
"""Characters of a message on the wire: statuses travel in headers, which are small."""


def clean(text: str) -> str:
    """Text short enough for a header and free of what UTF-8 cannot hold."""
    return text[:MAX_MESSAGE].encode("utf-8", "replace").decode("utf-8")
