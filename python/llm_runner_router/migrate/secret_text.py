"""Texts of files without the secrets in them, to be shown.

A value may be a secret by the keys that it stands under, or by what it looks like. Too much hidden
is no harm: the file itself has it all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from llm_runner_router.config.json_positions import DECODER, Node, read_json
from llm_runner_router.hidden import HIDDEN
from llm_runner_router.migrate.environment import NEW_NAMES, Entry, entries_of
from llm_runner_router.migrate.json_file import MARK
from llm_runner_router.migrate.secret_shapes import hides, is_secret, without_secrets

WRITTEN = re.compile(r'"(?:\\.|[^"\\])*"')
"""A text as JSON writes it."""

OURS = frozenset((*NEW_NAMES, *NEW_NAMES.values()))

NAME = re.compile(r"[A-Z\d_.-]{0,64}|[a-z\d_.-]{0,64}|[A-Za-z_.-]{0,20}")
"""What variables are called. Others may be lines of a key that end in ``=``."""

BEHIND = " \t\r\n'\"`"
"""What may stand behind a value and says nothing."""


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
        written = text[node.offset : end]
        result += [shown_keys(text[done : node.offset]), shown_scalar(node, written, key)]
        done = end
    return "".join((*result, shown_keys(text[done:])))


def scalars(node: Node, key: str = "") -> Iterator[tuple[Node, str]]:
    """The values that hold no others, in their order, each with the key that tells most of it."""
    for member in node.members or ():
        yield from scalars(member.value, key if is_secret(key) else member.key)
    for item in node.items or ():
        yield from scalars(item, key)
    if node.members is None and node.items is None:
        yield node, key


def shown_scalar(node: Node, written: str, key: str) -> str:
    """A value as it may be shown; ``written`` is how it stands in the text."""
    if hides(key, node.scalar):
        return f'"{HIDDEN}"'
    return shown_text(written) if isinstance(node.scalar, str) else written


def shown_keys(text: str) -> str:
    """What stands between two values, with the keys in it as they may be shown."""
    return WRITTEN.sub(lambda found: shown_text(found[0]), text)


def shown_text(written: str) -> str:
    """A text as JSON writes it, without secrets; it stays as it is where there are none."""
    said = json.loads(written, strict=False)
    shown = without_secrets(said)
    return written if shown == said else json.dumps(shown, ensure_ascii=False)


def shown_environment(text: str) -> str:
    """A ``.env`` file with the values of our variables alone: all others may be secrets."""
    return "".join(map(shown_entry, entries_of(text)))


def shown_entry(entry: Entry) -> str:
    """The lines of a variable; remarks may hold an old value too, and other lines anything."""
    if not entry.text.strip():
        return entry.text
    if entry.name in OURS:
        return shown_own(entry)
    if entry.name:
        return f"{entry.lead}{shown_name(entry.name)}={HIDDEN}\n"
    return f"# {HIDDEN}\n" if entry.text.lstrip().startswith("#") else f"{HIDDEN}\n"


def shown_own(entry: Entry) -> str:
    """A variable of ours, without the remark behind its value."""
    end = entry.rest.find(entry.value) + len(entry.value) if entry.value else 0
    behind = entry.rest[end:].lstrip(BEHIND if entry.value else f"{BEHIND}=:")
    if not behind:
        return without_secrets(entry.text)
    shown = entry.text[: len(entry.text) - len(behind)]
    return f"{without_secrets(shown)}{'# ' if behind.startswith('#') else ''}{HIDDEN}\n"


def shown_name(name: str) -> str:
    """The name of a variable, unless it looks like a secret itself."""
    return without_secrets(name) if NAME.fullmatch(name) else HIDDEN
