"""Texts of files without the secrets in them, to be shown.

A value may be a secret by the keys that it stands under, or by what it looks like. Too much hidden
is no harm: the file itself has it all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from llm_runner_router.config.json_positions import DECODER, Node, read_json
from llm_runner_router.migrate.environment import NEW_NAMES, Entry, entries_of
from llm_runner_router.migrate.json_file import MARK

HIDDEN = "…"

SECRET = re.compile(
    r"(api|access|private|signing|encryption)keys?|secret|passw|passphrase|pwd|authorization"
    r"|credential|bearer|cookie|^auth$|webhook"
)
"""In a key in lower case and without ``-`` and ``_``: all below it is hidden."""

TOKEN = re.compile(r"token")
"""The same, but numbers are those of tokens, and words under ``stopTokens`` are shown."""

REFERENCE = re.compile(r"(env|file):")
"""Says where a secret is, and not what it is."""

KEY = re.compile(r"\b((sk|pk|rk|gsk|hf|xai|ghp|glpat|xoxb)[-_][\w-]{16,}|Bearer\s+[^\s\"]+)")
PASSWORD = re.compile(r"(://[^/\s:@\"]*:)[^@/\s\"]+@")
QUERY = re.compile(
    r"([?&][^=&\s\"]*(?:key|token|secret|sig|passw)[^=&\s\"]*=)[^&#\s\"]+", re.IGNORECASE
)


def shown_json(text: str) -> str:
    """JSON with each secret replaced; nothing of a text that cannot be read."""
    mark = MARK if text.startswith(MARK) else ""
    text = text.removeprefix(mark)
    try:
        root = read_json(text)
    except json.JSONDecodeError:
        return f"{HIDDEN}\n"
    result, done = [mark], 0
    for node, key in scalars(root):
        end = DECODER.raw_decode(text, node.offset)[1]
        result += [text[done : node.offset], shown_scalar(node, text[node.offset : end], key)]
        done = end
    return "".join((*result, text[done:]))


def scalars(node: Node, key: str = "") -> Iterator[tuple[Node, str]]:
    """The values that hold no others, in their order, each with the key that tells most of it."""
    for member in node.members or ():
        yield from scalars(member.value, key if is_secret(key) else member.key)
    for item in node.items or ():
        yield from scalars(item, key)
    if node.members is None and node.items is None:
        yield node, key


def is_secret(key: str) -> bool:
    """Whether what stands under the key is a secret, of whatever kind."""
    return SECRET.search(plain(key)) is not None


def plain(key: str) -> str:
    """A key in the letters that all spellings share."""
    return key.lower().replace("_", "").replace("-", "")


def shown_scalar(node: Node, written: str, key: str) -> str:
    """A value as it may be shown; ``written`` is how it stands in the text."""
    value = node.scalar
    if not isinstance(value, str):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return json.dumps(HIDDEN, ensure_ascii=False) if is_number and is_secret(key) else written
    is_token = TOKEN.search(plain(key)) is not None and "stop" not in plain(key)
    if value and (is_secret(key) or is_token) and not REFERENCE.match(value):
        return f'"{HIDDEN}"'
    return without_secrets(written)


def without_secrets(text: str) -> str:
    """A text without what looks like a secret."""
    text = PASSWORD.sub(rf"\1{HIDDEN}@", KEY.sub(HIDDEN, text))
    return QUERY.sub(rf"\1{HIDDEN}", text)


def shown_environment(text: str) -> str:
    """A ``.env`` file with the values of our variables alone: all others may be secrets."""
    return "".join(map(shown_entry, entries_of(text)))


def shown_entry(entry: Entry) -> str:
    """The lines of a variable; remarks may hold an old value too, and other lines anything."""
    text = entry.text
    if entry.name in NEW_NAMES or entry.name in NEW_NAMES.values() or not text.strip():
        return text
    name, equals, _ = text.partition("=")
    if equals:
        return f"{name}={HIDDEN}\n"
    return text if text.lstrip().startswith("#") else f"{HIDDEN}\n"
