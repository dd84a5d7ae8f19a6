"""What looks like a secret, by the key that it stands under or by its own letters.

Too much hidden is no harm: who owns a file can look into it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llm_runner_router.hidden import HIDDEN, shown_address

SECRET = re.compile(
    r"(api|access|account|private|signing|encryption)keys?|secret|passw|passphrase|pass$|pwd"
    r"|authorization|credential|bearer|cookie|^auth$|keys?$|webhook"
)
"""In a key in lower case and without ``-`` and ``_``: all below it is hidden."""

TOKEN = re.compile(r"token")
"""The same, but numbers are those of tokens, and words under ``stopTokens`` are shown."""

REFERENCE = re.compile(r"(env|file):")
"""Says where a secret is, and not what it is."""

KEY = re.compile(
    r"\b(?:(?:sk|pk|rk|gsk|xai|glpat|xox[a-z]|xapp)[-_][\w-]{16,}"
    r"|(?:hf|gh[a-z]|github_pat|npm)_\w{16,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{8,}|AIza[\w-]{16,}|ya29\.[\w-]+|eyJ[\w-]{8,300}\.[\w.-]{8,}"
    r"|Bearer\s+\S+)"
)
PRIVATE = re.compile(r"-----BEGIN [^-]{0,60}-----.*", re.DOTALL)
PASSWORD = re.compile(r"(://[^/\s:@]{0,200}:)\S{1,500}@")
USER = re.compile(r"(://)[^/\s:@]{16,500}@")
QUERY = re.compile(
    r"([?&][^?=&\s]{0,100}?(?:key|token|secret|sig|passw)[^?=&\s]{0,100}=)[^&#\s]+", re.IGNORECASE
)
WEBHOOK = re.compile(
    r"(hooks\.slack\.com|discord(?:app)?\.com/api/webhooks|webhook\.office\.com|telegram\.org)/\S+",
    re.IGNORECASE,
)
ASSIGNED = re.compile(
    r"((?:passw|passphrase|pwd|secret|credential|token"
    r"|(?:api|access|account|private|signing|encryption)[-_]?key)[\w-]{0,40}"
    r"(?:\s{0,3}=|[\"']\s{0,3}[=:])\s{0,3})"
    r"(?:'(?:\\.|[^'\\]){0,2000}'|\"(?:\\.|[^\"\\]){0,2000}\"|\S+)",
    re.IGNORECASE | re.DOTALL,
)
"""``password=…`` as in connection strings, and the same in JSON within a text."""

SHAPES = (
    (PRIVATE, HIDDEN),
    (KEY, HIDDEN),
    (PASSWORD, rf"\1{HIDDEN}@"),
    (USER, rf"\1{HIDDEN}@"),
    (WEBHOOK, rf"\1/{HIDDEN}"),
    (QUERY, rf"\1{HIDDEN}"),
    (ASSIGNED, rf"\1{HIDDEN}"),
)


def without_secrets(text: str) -> str:
    """A text without what looks like a secret."""
    for shape, shown in SHAPES:
        text = shape.sub(shown, text)
    return text


def is_secret(key: str) -> bool:
    """Whether what stands under the key is a secret, of whatever kind."""
    return SECRET.search(plain(key)) is not None


def hides(key: str, value: object) -> bool:
    """Whether a value that holds no others is not shown because of its key."""
    if isinstance(value, str):
        is_token = TOKEN.search(plain(key)) is not None and "stop" not in plain(key)
        return bool(value) and (is_secret(key) or is_token) and REFERENCE.match(value) is None
    return isinstance(value, int | float) and not isinstance(value, bool) and is_secret(key)


def shown_value(path: str, value: object) -> object:
    """What an error may show of the value at ``path``; of an object or a list no more than that."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    if any(hides(key, value) for key in re.split(r"[.\[\]]", path)):
        return HIDDEN
    if not isinstance(value, str):
        return value
    is_address = "://" in value and len(value.split()) == 1
    return without_secrets(str(shown_address(value)) if is_address else value)


def plain(key: str) -> str:
    """A key in the letters that all spellings share."""
    return key.lower().replace("_", "").replace("-", "")
