from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.json_file import MAX_DEPTH, JsonStyle, read_json, rewritten, written

LIMIT = 1 << 20

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text("abä", max_size=3), VALUES)


def nested(depth: int) -> bytes:
    """An object that is so deep, itself counted."""
    return b'{"a":' * depth + b"{}" + b"}" * depth


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "line 1 column 2"),
        (b'{\n  "a": 1,\n}', "line 3 column 1"),
        (b"[]", "object"),
        (b"", "JSON"),
        (b'"text"', "object"),
        (b'{"a": 1, "a": 2}', "'a' stands twice"),
        (b'{"b": {"a": 1, "a": 1}}', "'a' stands twice"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": -Infinity}', "Infinity"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"a": "\xff"}', "UTF-8"),
        ('{"a": "x"}'.encode("utf-16"), "UTF-8"),
        (b'{"a": "\\ud800"}', "surrogates"),
        (nested(MAX_DEPTH), "deep"),
        (b"[" * 100_000, "deep"),
        (b'{"a":"' + b"x" * LIMIT + b'"}', "bytes"),
    ],
)
def test_what_is_no_sane_object_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(InvalidConfigError, match=why) as caught:
        read_json("config.json", data, LIMIT)
    assert caught.value.field == "config.json"


def test_what_is_just_allowed() -> None:
    assert read_json("f", nested(MAX_DEPTH - 1), LIMIT).content
    assert read_json("f", b"\xef\xbb\xbf{}", LIMIT).content == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{\n  "b": 1,\n  "a": 2\n}\n', '{\n  "b": 1,\n  "a": 2,\n  "c": [\n    3\n  ]\n}\n'),
        ('{\n\t"a": 2\n}', '{\n\t"a": 2,\n\t"c": [\n\t\t3\n\t]\n}'),
        (
            '{\r\n    "a": 2\r\n}\r\n',
            '{\r\n    "a": 2,\r\n    "c": [\r\n        3\r\n    ]\r\n}\r\n',
        ),
        ('{"a": 2}\n', '{"a": 2, "c": [3]}\n'),
        ('{"a":2}', '{"a":2,"c":[3]}'),
        ("{}\n", '{\n  "c": [\n    3\n  ]\n}\n'),
        ('\ufeff{"a": "ä"}', '\ufeff{"a": "ä", "c": [3]}'),
        ('{"a": "\\u00e4"}', '{"a": "\\u00e4", "c": [3]}'),
    ],
)
def test_a_file_keeps_its_layout(before: str, after: str) -> None:
    file = read_json("f", before.encode(), LIMIT)
    assert rewritten(file, {**file.content, "c": [3]}).decode() == after


@settings(deadline=None, max_examples=50)
@given(OBJECTS, st.sampled_from([None, "", " ", "    ", "\t"]), st.booleans(), st.booleans())
def test_unchanged_content_is_the_same_file(
    content: dict[str, Any], indent: str | None, is_escaped: bool, has_mark: bool
) -> None:
    text = json.dumps(content, indent=indent, ensure_ascii=is_escaped)
    data = (("\ufeff" if has_mark else "") + text).encode()
    file = read_json("f", data, LIMIT)
    assert rewritten(file, json.loads(text)) == data
    again = read_json("f", written(file.content, file.style), LIMIT)
    assert json.dumps(again.content) == json.dumps(content)
    assert (again.style.byte_order_mark, again.style.final_newline) == (has_mark, False)


def test_another_order_is_another_file() -> None:
    file = read_json("f", b'{"a": 1, "b": 2}', LIMIT)
    assert rewritten(file, {"b": 2, "a": 1}) == b'{"b": 2, "a": 1}'
    assert rewritten(file, {"a": True, "b": 2}) == b'{"a": true, "b": 2}'


def test_a_new_file() -> None:
    assert written({"a": "ä"}, JsonStyle()).decode() == '{\n  "a": "ä"\n}\n'
