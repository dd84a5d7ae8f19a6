"""When a provider wants to be asked again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

LONGEST = 86_400.0
"""Seconds; no provider is asked later than a day from now."""

RESETS = (
    "x-ratelimit-reset",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "ratelimit-reset",
)
EPOCH_SECONDS, EPOCH_MILLISECONDS = 1e9, 1e12
NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")
DURATION = re.compile(
    r"(?:([0-9.]{1,9})h)?(?:([0-9.]{1,9})m)?(?:([0-9.]{1,9})s)?(?:([0-9.]{1,9})ms)?"
)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait, from 0 to a day; ``None`` where the headers say nothing that is understood.

    ``now`` is the time of the epoch; the headers' names are in lower case. Retry-After goes before
    the ends of rate limits, of which the latest counts: all of them may be used up.
    """
    milliseconds = seconds_of(headers.get("retry-after-ms", ""), now)
    if milliseconds is not None:
        return bounded(milliseconds / 1000.0)
    seconds = seconds_of(headers.get("retry-after", ""), now)
    if seconds is not None:
        return bounded(seconds)
    resets = [seconds_of(headers[name], now) for name in RESETS if name in headers]
    known = [reset for reset in resets if reset is not None]
    return bounded(max(known)) if known else None


def bounded(seconds: float) -> float:
    """Neither before now nor after a day."""
    return min(max(seconds, 0.0), LONGEST)


def seconds_of(text: str, now: float) -> float | None:
    """Seconds from now: a number, a time of the epoch, a duration such as 6m0s, or a date."""
    text = text.strip()
    if NUMBER.fullmatch(text):
        return from_now(float(text), now)
    found = DURATION.fullmatch(text)
    if text and found is not None:
        return duration(found)
    try:
        return parsedate_to_datetime(text).timestamp() - now
    except (ValueError, OverflowError):
        return None


def from_now(value: float, now: float) -> float:
    """Large numbers are times of the epoch, in seconds or milliseconds."""
    if value >= EPOCH_MILLISECONDS:
        return value / 1000.0 - now
    return value - now if value >= EPOCH_SECONDS else value


def duration(found: re.Match[str]) -> float | None:
    """Hours, minutes, seconds and milliseconds together."""
    try:
        parts = [float(part or 0) for part in found.groups()]
    except ValueError:
        return None
    return sum(part * unit for part, unit in zip(parts, (3600.0, 60.0, 1.0, 0.001), strict=True))
