"""Which models have seen the beginning of a prompt, so that they may hold it in their caches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from hashlib import blake2b

from llm_runner_router.types import Request

CHUNK_CHARACTERS = 256
CAPACITY = 4096
"""Chunks that are remembered, counted once for each model that has seen them."""

_LONGEST = 256 * CHUNK_CHARACTERS  # what lies behind is neither remembered nor looked for


class PrefixIndex:
    """Remembers prompts as chained hashes of their chunks. Belongs to one event loop.

    A hash stands for everything up to the end of its chunk, so that a model that is known for one
    has seen the whole prefix. The least recently served chunks are forgotten first, and of one
    prompt its end before its beginning.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._recency: OrderedDict[tuple[bytes, str], None] = OrderedDict()
        self._holders: dict[bytes, set[str]] = {}

    def match(self, text: str) -> Mapping[str, float]:
        """Each model that has seen a prefix of ``text``, with the share of it from 0 to 1."""
        length = min(len(text), _LONGEST)
        shares: dict[str, float] = {}
        for digest, end in prefixes(text):
            holders = self._holders.get(digest)
            if holders is None:
                break
            shares.update(dict.fromkeys(holders, end / length))
        return shares

    def add(self, model: str, text: str) -> None:
        """``model`` has now seen ``text``."""
        for digest, _ in reversed(list(prefixes(text))):
            self._recency[digest, model] = None
            self._recency.move_to_end((digest, model))
            self._holders.setdefault(digest, set()).add(model)
        while len(self._recency) > self._capacity:
            self._drop(next(iter(self._recency)))

    def forget(self, model: str) -> None:
        """``model`` holds nothing any more."""
        for entry in [entry for entry in self._recency if entry[1] == model]:
            self._drop(entry)

    def _drop(self, entry: tuple[bytes, str]) -> None:
        del self._recency[entry]
        digest, model = entry
        holders = self._holders[digest]
        holders.remove(model)
        if not holders:
            del self._holders[digest]


def prefixes(text: str) -> Iterator[tuple[bytes, int]]:
    """The chained hash of each prefix that ends with a chunk, and where it ends."""
    digest, length = b"", min(len(text), _LONGEST)
    for begin in range(0, length, CHUNK_CHARACTERS):
        end = min(begin + CHUNK_CHARACTERS, length)
        chunk = text[begin:end].encode(errors="surrogatepass")
        digest = blake2b(digest + chunk, digest_size=16).digest()
        yield digest, end


def prompt_text(request: Request) -> str:
    """The prompt in one canonical text; a conversation's next turn begins with its last."""
    if request.prompt is not None:
        return request.prompt
    return "".join(f"{message.role}\n{message.content}\n\0" for message in request.messages)
