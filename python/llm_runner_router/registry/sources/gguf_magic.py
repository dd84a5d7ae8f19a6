"""Whether a file is one of weights at all."""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.errors import SourceError, shorten

MAGIC = b"GGUF"


def check_gguf(path: Path) -> None:
    """SourceError unless the file begins as GGUF files do: a page to log in does not."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start.startswith(MAGIC):
        raise SourceError(f"what was sent is no GGUF file: it begins with {shorten(start)}")
