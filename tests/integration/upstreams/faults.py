"""What can go wrong with a provider, as values that a test hands to its server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto


class FaultKind(Enum):
    NONE = auto()
    RESET = auto()  # the connection is torn down before any answer
    STATUS = auto()  # an HTTP status instead of an answer
    STALL = auto()  # headers and `after` chunks, then silence until the client leaves
    CUT = auto()  # headers and `after` chunks, then the connection is torn down
    ENDED = auto()  # headers and `after` chunks, then a proper end of a stream that is not whole
    MALFORMED = auto()  # headers and `after` chunks, then a chunk that is no JSON
    DRIP = auto()  # each chunk waits for the gate


@dataclass(frozen=True)
class Fault:
    """How one request is answered wrongly. A refused connection is ``UpstreamServer.refuse``."""

    kind: FaultKind = FaultKind.NONE
    after: int = 0
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    gate: asyncio.Semaphore | None = None


NO_FAULT = Fault()


def status(code: int, retry_after: str | None = None, body: str = "") -> Fault:
    headers = () if retry_after is None else (("Retry-After", retry_after),)
    return Fault(FaultKind.STATUS, status=code, headers=headers, body=body)


def reset() -> Fault:
    return Fault(FaultKind.RESET)


def stall(after: int = 0) -> Fault:
    return Fault(FaultKind.STALL, after)


def cut(after: int = 0) -> Fault:
    return Fault(FaultKind.CUT, after)


def ended(after: int = 0) -> Fault:
    return Fault(FaultKind.ENDED, after)


def malformed(after: int = 0) -> Fault:
    return Fault(FaultKind.MALFORMED, after)


def drip(gate: asyncio.Semaphore) -> Fault:
    return Fault(FaultKind.DRIP, gate=gate)
