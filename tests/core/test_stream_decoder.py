"""Text from tokens' bytes: whole characters, stop strings, the same however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llm_runner_router import _core

# Bytes that make sense more often than random ones do.
PIECES = st.sampled_from(
    [b"a", b"b", "é".encode(), "€".encode(), "𝄞".encode(), b"\xe2", b"\x82", b"\xac", b"\xf0\x9d"]
)
BYTES = st.one_of(st.binary(max_size=20), st.lists(PIECES, max_size=12).map(b"".join))
STOPS = st.lists(st.text(alphabet="aab€\ufffd", min_size=1, max_size=4), max_size=3)


def reference(data: bytes, stops: list[str]) -> tuple[str, bool]:
    """The text up to the match that is complete first; of several, the longest."""
    text = data.decode(errors="replace")
    for end in range(1, len(text) + 1):
        matching = [stop for stop in stops if text[:end].endswith(stop)]
        if matching:
            return text[: end - max(map(len, matching))], True
    return text, False


def decode(pieces: list[bytes], stops: list[str]) -> tuple[str, bool]:
    decoder = _core.testing.StreamDecoder(stops)
    text = "".join(decoder.push(piece) for piece in pieces)
    return text + decoder.flush(), decoder.stopped


@given(data=BYTES, stops=STOPS, cuts=st.lists(st.integers(0, 60), max_size=8))
@example(data=b"abcd", stops=["abcd", "bc"], cuts=[])
@example(data=b"aab", stops=["ab"], cuts=[1, 2])
@example(data=b"\xed\xa0\x80", stops=[], cuts=[1])
@example(data=b"\xf4\x90\x80\x80", stops=[], cuts=[2])
@example(data=b"\xe2\x82", stops=["\ufffd"], cuts=[1])
def test_text_is_that_of_python_however_it_is_cut(
    data: bytes, stops: list[str], cuts: list[int]
) -> None:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[a:b] for a, b in pairwise(edges)]
    assert decode(pieces, stops) == reference(data, stops)


def test_only_what_may_become_a_stop_string_is_held_back() -> None:
    decoder = _core.testing.StreamDecoder(["\n\nUser:", "END"])
    assert decoder.push(b"one\n") == "one"
    assert decoder.push(b"two E") == "\ntwo "
    assert decoder.push(b"N") == ""
    assert decoder.push(b"-") == "EN-"
    assert decoder.push(b"\n\nUser") == ""
    assert decoder.push(b": hello") == ""
    assert decoder.stopped
    assert decoder.push(b"more") + decoder.flush() == ""


def test_an_incomplete_character_waits() -> None:
    decoder = _core.testing.StreamDecoder([])
    assert [decoder.push(bytes([byte])) for byte in "€".encode()] == ["", "", "€"]
    assert decoder.push(b"\xe2\x82") == ""
    assert decoder.flush() == "\ufffd"


@pytest.mark.parametrize("byte", range(256))
def test_every_first_byte_is_treated_as_python_treats_it(byte: int) -> None:
    tails = (b"", b"a", b"\x80", b"\x9f\xbf\xbf", b"\xa0\x80", b"\x8f\x80\x80", b"\x90\x80\x80")
    for tail in tails:
        data = bytes([byte]) + tail
        assert decode([data], []) == (data.decode(errors="replace"), False)
