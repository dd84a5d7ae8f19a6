"""The error of a source that is not understood."""

from __future__ import annotations

import re

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.hidden import HIDDEN, shown_address

MAX_SOURCE = 4096
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
WEB = re.compile(r"https?:", re.IGNORECASE)
SECRETS = re.compile(r"(?<=//)[^/?#]*@|[?].*", re.DOTALL)


def check_source(text: object, allowed: str) -> None:
    """Text of bounded length without control characters."""
    if not isinstance(text, str):
        raise InvalidRequestError("source", text, allowed)
    if not text or len(text) > MAX_SOURCE or CONTROL.search(text):
        limits = f"{allowed}; at most {MAX_SOURCE} characters, and no control characters"
        raise wrong_source(text, limits)


def wrong_source(text: str, allowed: str) -> InvalidRequestError:
    """An error that shows ``text`` without what may be secret: a password, and the query."""
    shown = shown_address(text) if WEB.match(text) else SECRETS.sub(HIDDEN, text)
    return InvalidRequestError("source", shown, allowed)
