from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.routing.prefix_index import PrefixIndex, prompt_text
from llm_runner_router.types import Message, Request, Role


def test_the_share_is_what_was_seen_of_the_text() -> None:
    index = PrefixIndex()
    index.add("a", "x" * 512)
    index.add("b", "x" * 256 + "y" * 256)
    assert index.match("x" * 1024) == {"a": 0.5, "b": 0.25}
    assert index.match("x" * 512) == {"a": 1.0, "b": 0.5}
    assert index.match("y" * 512) == {}
    assert index.match("") == {}


def test_a_chunk_counts_only_behind_the_same_beginning() -> None:
    index = PrefixIndex()
    index.add("a", "x" * 256 + "z" * 256)
    index.add("b", "y" * 256 + "w" * 256)
    assert index.match("y" * 256 + "z" * 256) == {"b": 0.5}


def test_the_end_of_a_text_counts_where_it_is_whole() -> None:
    index = PrefixIndex()
    index.add("a", "x" * 300)
    assert index.match("x" * 300) == {"a": 1.0}
    assert index.match("x" * 400) == {"a": 256 / 400}


def test_the_least_recent_is_forgotten_and_the_end_before_the_beginning() -> None:
    index = PrefixIndex(capacity=3)
    index.add("a", "x" * 768)
    index.add("b", "y" * 256)
    assert index.match("x" * 768) == {"a": 512 / 768}
    index.add("a", "x" * 256)
    index.add("b", "z" * 256)
    assert index.match("x" * 768) == {"a": 256 / 768}


def test_a_model_may_be_forgotten() -> None:
    index = PrefixIndex()
    index.add("a", "x" * 300)
    index.add("b", "x" * 300)
    index.forget("a")
    assert index.match("x" * 300) == {"b": 1.0}


@given(st.text(max_size=900), st.text(max_size=900), st.characters(categories=["Cs"]))
def test_shares_are_of_the_common_beginning(seen: str, more: str, lone: str) -> None:
    index = PrefixIndex()
    index.add("a", lone + seen)
    share = index.match(lone + seen + more).get("a", 0.0)
    length, whole = len(lone + seen), len(lone + seen + more)
    assert length // 256 * 256 <= round(share * whole) <= length


def test_a_conversation_begins_with_its_earlier_turns() -> None:
    first = Message(Role.USER, "hi")
    longer = (first, Message(Role.ASSISTANT, "ho"))
    begun = prompt_text(Request(messages=(first,)))
    assert prompt_text(Request(messages=longer)).startswith(begun)
    assert prompt_text(Request(prompt="hi")) == "hi"
