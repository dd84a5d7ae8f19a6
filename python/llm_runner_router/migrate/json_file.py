"""JSON files of others: read with suspicion, and written the way they were.

What is read is an object in UTF-8, each key once, no NaN, of a size and a depth that are sane. What
is written has the indentation, the line ends and the order of keys of what was read.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.leaves import same

MAX_DEPTH = 100
MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class JsonStyle:
    """How a file is laid out. ``indent`` is ``None`` where all of it stands in one line."""

    indent: str | None = "  "
    newline: str = "\n"
    final_newline: bool = True
    byte_order_mark: bool = False
    escaped: bool = False
    compact: bool = False


@dataclass(frozen=True, slots=True)
class JsonFile:
    """A file's bytes, the object that it holds and how it is laid out."""

    data: bytes
    content: dict[str, Any]
    style: JsonStyle


def read_json(where: str, data: bytes, limit: int) -> JsonFile:
    """The file ``where`` of at most ``limit`` bytes; InvalidConfigError says what is wrong."""
    if len(data) > limit:
        raise InvalidConfigError(where, f"{len(data)} bytes", f"at most {limit} bytes of JSON")
    try:
        text = data.decode()
        content = json.loads(
            text.removeprefix(MARK),
            object_pairs_hook=once,
            parse_constant=no_number,
            parse_float=finite,
        )
        depth = depth_of(content)
        json.dumps(content, ensure_ascii=False).encode()  # half a character cannot be written
    except RecursionError:
        depth = MAX_DEPTH + 1
    except ValueError as error:
        raise InvalidConfigError(where, "a document", f"JSON in UTF-8 ({error})") from None
    if depth > MAX_DEPTH:
        allowed = f"JSON that is at most {MAX_DEPTH} deep"
        raise InvalidConfigError(where, "a document", allowed)
    if not isinstance(content, dict):
        raise InvalidConfigError(where, "a document", "a JSON object")
    return JsonFile(data, content, style_of(text))


def depth_of(value: object) -> int:
    """How many objects and lists lie in each other; counting ends one above MAX_DEPTH."""
    depth, level = 0, [value]
    while depth <= MAX_DEPTH:
        level = [each for each in level if isinstance(each, dict | list)]
        if not level:
            break
        depth += 1
        level = [inner for outer in level for inner in parts_of(outer)]
    return depth


def parts_of(value: object) -> Iterable[object]:
    """What an object or a list holds."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ."""
    result = dict(pairs)
    if len(result) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {key[:80]!r} stands twice in one object")
    return result


def no_number(word: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise ValueError(f"{word} is no number")


def finite(text: str) -> float:
    """A number that can be written again."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:80]} is too large a number")
    return number


def style_of(text: str) -> JsonStyle:
    """How ``text`` is laid out."""
    body = text.removeprefix(MARK).strip()
    indent = re.search(r'\n([ \t]*)"', body)
    return JsonStyle(
        indent=indent[1] if indent else None if len(body) > 2 and "\n" not in body else "  ",
        newline="\r\n" if "\r\n" in text else "\n",
        final_newline=text.endswith("\n"),
        byte_order_mark=text.startswith(MARK),
        escaped=text.isascii() and "\\u" in text,
        compact='": ' not in body and "\n" not in body and len(body) > 2,
    )


def written(content: Mapping[str, Any], style: JsonStyle) -> bytes:
    """``content`` as a file of that style."""
    text = json.dumps(
        content,
        ensure_ascii=style.escaped,
        allow_nan=False,
        indent=style.indent,
        separators=(",", ":") if style.compact else None,
    )
    text = text.replace("\n", style.newline)
    end = style.newline if style.final_newline else ""
    return ((MARK if style.byte_order_mark else "") + text + end).encode()


def rewritten(file: JsonFile, content: Mapping[str, Any]) -> bytes:
    """The file with ``content`` in it; byte for byte as it was where that is the same."""
    return file.data if same(file.content, content) else written(content, file.style)
