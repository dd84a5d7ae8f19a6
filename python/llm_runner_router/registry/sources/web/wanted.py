"""What is to be downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from yarl import URL


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of the web, and what is known of it beforehand.

    ``url`` and ``headers`` may hold secrets and are never shown. ``sha256`` is in lower-case
    hexadecimal. ``check`` looks at the file before it gets its name, beside the event loop, and
    raises a RouterError where it is not what was wanted.
    """

    url: URL = field(repr=False)
    size: int | None = None
    sha256: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    check: Callable[[Path], None] | None = None

    @property
    def identity(self) -> str:
        """Stands for the content, also in another process; it tells no secret."""
        if self.sha256 is not None:
            return f"sha256:{self.sha256}"
        return f"url:{hashlib.sha256(str(self.url).encode()).hexdigest()}"
