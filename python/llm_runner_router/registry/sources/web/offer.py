"""What a web server is about to send, by the head of its answer."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass

from llm_runner_router.errors import SourceError, shorten
from llm_runner_router.providers.retry_after import retry_after

RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
LENGTH = re.compile(r"[0-9]{1,19}")
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
MEANINGS = {
    401: "asks for a login",
    403: "refuses it",
    404: "does not have it",
    410: "does not have it any more",
}


class Broken(Exception):  # noqa: N818 - no error for callers: the download goes on
    """An attempt that brought no end, but may be repeated; ``wish`` is after how many seconds."""

    def __init__(self, why: str, wish: float | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.wish = wish


class Outdated(Broken):
    """What is here does not belong to what the server has now: begin anew."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Bytes from ``start`` on of a file of ``total`` bytes; ``None``: as many as come."""

    start: int
    total: int | None
    etag: str = ""
    last_modified: str = ""


def read_offer(status: int, headers: Mapping[str, str], asked: int) -> Offer:
    """What is offered to who asked for the bytes from ``asked`` on.

    Names of headers are in lower case. Broken for what may be better the next time, SourceError for
    a refusal and for nonsense.
    """
    if status in BUSY:
        raise Broken(f"answered with status {status}", retry_after(headers, time.time()))
    if status == 416 and asked > 0:
        raise Outdated("the server has no such range of the file")
    if status not in (200, 206):
        meaning = MEANINGS.get(status, "refuses it")
        raise SourceError(f"the server {meaning} (status {status})")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise SourceError("the server sends the file encoded, though nobody has asked for that")
    start, total = ranged(headers, asked) if status == 206 else (0, length(headers))
    return Offer(start, total, headers.get("etag", ""), headers.get("last-modified", ""))


def ranged(headers: Mapping[str, str], asked: int) -> tuple[int, int | None]:
    """Start and total of a part of the file, which must be the one that was asked for."""
    text = headers.get("content-range", "")
    found = RANGE.fullmatch(text)
    if found is None or int(found[1]) != asked or int(found[2]) < asked:
        raise SourceError(f"the server sends another range: {shorten(text)}")
    total = None if found[3] == "*" else int(found[3])
    if total is not None and int(found[2]) >= total:
        raise SourceError(f"the server sends an impossible range: {shorten(text)}")
    return asked, total


def length(headers: Mapping[str, str]) -> int | None:
    """The length of a whole file; ``None`` where its end is marked instead."""
    text = headers.get("content-length")
    if text is not None and LENGTH.fullmatch(text):
        return int(text)
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        raise SourceError("the server does not tell the length of the file")
    return None
