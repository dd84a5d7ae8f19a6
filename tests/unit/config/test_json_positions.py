"""JSON with its places: as the module ``json`` reads it, and where it stands."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from json import JSONDecodeError
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_runner_router.config.json_positions import MAX_DEPTH, Node, Position, read_json

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
PIECES = ["{", "}", "[", "]", ",", ":", '"a"', '"', "\\", "1", "-", "0", ".5", "e1", "true", "nul"]
TEXTS = st.lists(st.sampled_from([*PIECES, "l", " ", "\t", "\n", "\r", "é", "\x00"])).map("".join)


def nodes_of(node: Node) -> Iterator[Node]:
    yield node
    for member in node.members or ():
        yield from nodes_of(member.value)
    for item in node.items or ():
        yield from nodes_of(item)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.sampled_from([None, 0, 1, "\t"]), st.booleans())
def test_values_are_those_of_json(value: Any, indent: Any, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    node = read_json(text)
    assert json.dumps(node.plain()) == json.dumps(value)
    # Each value stands where it is said to, and each key.
    decoder = json.JSONDecoder()
    for one in nodes_of(node):
        found, _ = decoder.raw_decode(text, one.offset)
        assert json.dumps(found) == json.dumps(one.plain())
        for member in one.members or ():
            assert decoder.raw_decode(text, member.offset)[0] == member.key


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXTS)
def test_what_json_refuses_is_refused_and_nothing_else(text: str) -> None:
    try:
        wanted = json.loads(text)
    except JSONDecodeError:
        with pytest.raises(JSONDecodeError) as raised:
            read_json(text)
        assert 0 <= raised.value.pos <= len(text)
    else:
        assert json.dumps(read_json(text).plain()) == json.dumps(wanted)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("", 1, 1),
        ('{\n  "a": 1,\n}', 3, 1),
        ('{\n\t"a" 1}', 2, 6),
        ('{"a": tru}', 1, 7),
        ("{'a': 1}", 1, 2),
        ("[1 2]", 1, 4),
        ("{} x", 1, 4),
        ('{"a": NaN}', 1, 7),
        ("[-Infinity]", 1, 2),
        ('\r\n"ab', 2, 1),
        ("// no\n{}", 1, 1),
    ],
)
def test_where_it_is_wrong(text: str, line: int, column: int) -> None:
    with pytest.raises(JSONDecodeError) as raised:
        read_json(text)
    assert (raised.value.lineno, raised.value.colno) == (line, column)
    assert Position.of(text, raised.value.pos) == Position(line, column)


def test_lines_and_columns() -> None:
    text = '{\r\n\t"é": [\n    "x",\n    2]}'
    (member,) = read_json(text).members or ()
    assert Position.of(text, member.offset) == Position(2, 2)
    places = [Position.of(text, item.offset) for item in member.value.items or ()]
    assert places == [Position(3, 5), Position(4, 5)]


def test_keys_that_stand_twice_are_both_told() -> None:
    node = read_json('{"a": 1, "a": 2}')
    assert [member.offset for member in node.members or ()] == [1, 9]
    assert node.plain() == {"a": 2}


def test_depth_is_bounded() -> None:
    read_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(JSONDecodeError, match="in each other"):
        read_json("[" * 100_000)


def test_numbers_that_are_too_long() -> None:
    with pytest.raises(JSONDecodeError, match="digits"):
        read_json("[" + "1" * 10_000 + "]")
    assert math.isinf(read_json("1e999").plain())
