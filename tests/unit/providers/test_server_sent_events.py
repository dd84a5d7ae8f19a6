from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.providers import server_sent_events
from llm_runner_router.providers.server_sent_events import EventLines

STREAM = b": a comment\r\nevent: x\r\ndata: {1}\r\n\r\ndata:{2}\n\nid: 7\ndata:  [DONE]\n\n"


def test_data_lines_only() -> None:
    assert EventLines().feed(STREAM) == [b"{1}", b"{2}", b"[DONE]"]


@given(st.lists(st.integers(0, len(STREAM))))
def test_however_it_is_cut(cuts: list[int]) -> None:
    ends = sorted({0, *cuts, len(STREAM)})
    lines = EventLines()
    found = [payload for start, end in pairwise(ends) for payload in lines.feed(STREAM[start:end])]
    assert found == [b"{1}", b"{2}", b"[DONE]"]


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_sent_events, "MAX_EVENT_BYTES", 8)
    lines = EventLines()
    assert lines.feed(b"data: 12") == []
    with pytest.raises(ValueError):  # noqa: PT011 - it has no message
        lines.feed(b"3")
