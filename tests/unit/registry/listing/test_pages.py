"""Filters, orders and pages of models."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.listing.filter import parse_filter
from llm_runner_router.registry.listing.pages import model_page
from llm_runner_router.registry.records import (
    ModelConfig,
    ModelDetails,
    ModelQuery,
    ModelRecord,
    ModelView,
)
from llm_runner_router.types import ModelFormat

BASE = ModelRecord("a", "A", ModelFormat.GGUF, "/a.gguf")
VIEWS = [
    ModelView(
        replace(BASE, tags=("chat", "small"), owner="alice", created=1.0, updated=5.0),
        loaded=True,
        details=ModelDetails("llama", 1000, 500, 4096, 10),
    ),
    ModelView(
        replace(
            BASE,
            id="b@1.9",
            name='B "two"',
            owner="bob team",
            quality=0.5,
            labels={"env": "prod"},
            created=2.0,
            config=ModelConfig(pinned=True),
        ),
        details=ModelDetails("qwen", 3000, 700, 4096, 10),
    ),
    ModelView(
        replace(BASE, id="b@1.10", format=ModelFormat.API, provider="openai", source="gpt-x"),
    ),
]


def found(text: str, order: str = "") -> list[str]:
    return [view.record.id for view in model_page(ModelQuery(text, order), VIEWS).models]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", ["a", "b@1.10", "b@1.9"]),
        ("format = gguf", ["a", "b@1.9"]),
        ("format != gguf", ["b@1.10"]),
        ("NOT format = gguf", ["b@1.10"]),
        ("NOT format != gguf", ["a", "b@1.9"]),
        ("tags = chat", ["a"]),
        ("tags = cha", []),
        ("tags : cha", ["a"]),
        ("tags = sm*", ["a"]),
        ("id = b@*", ["b@1.10", "b@1.9"]),
        ("version = 1.9", ["b@1.9"]),
        ('owner = "bob team" AND quality >= 0.5', ["b@1.9"]),
        ('owner="bob team"AND quality>0.5', []),
        ("quality < 1", ["b@1.9"]),
        ("labels.env = prod", ["b@1.9"]),
        ("labels.env != prod", ["a", "b@1.10"]),
        ("loaded = true", ["a"]),
        ("pinned = true", ["b@1.9"]),
        ("architecture = llama", ["a"]),
        ("file_bytes > 500", ["b@1.9"]),
        ('name = "B \\"two\\""', ["b@1.9"]),
        ("  provider : open   AND source = gpt-x ", ["b@1.10"]),
    ],
)
def test_filters(text: str, wanted: list[str]) -> None:
    assert found(text) == wanted


def test_a_text_has_no_other_wildcards_than_the_star() -> None:
    views = [ModelView(replace(BASE, id="x", name="[ab]?"))]
    page = model_page(ModelQuery('name = "[ab]?"'), views)
    assert len(page.models) == 1
    assert not model_page(ModelQuery('name = "[ab]*" AND name = "a?"'), views).models


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = red", "'colour' is not allowed; allowed: a field of id, name"),
        ("labels. = x", "'labels.'"),
        ("quality = high", "a number for quality"),
        ("quality > inf", "a number for quality"),
        ("loaded = yes", "true or false for loaded"),
        ("loaded : true", "= with true, false or a number"),
        ("id > 3", "a field that is a number"),
        ("id", "terms such as"),
        ("id =", "terms such as"),
        ("id = a id = b", "AND between two terms"),
        ("id = a OR id = b", "AND between two terms"),
        ("id = a AND", "terms such as"),
        ("id ~ a", "'~ a' is not allowed"),
        ('id = "a', "not allowed"),
        ('id "=" a', "one of ="),
        (" AND ".join(["id = a"] * 65), "at most 64 terms"),
        ("x" * 4097, "text of 0 to 4096 characters"),
    ],
)
def test_wrong_filters_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_filter(text)
    assert caught.value.field == "filter"
    assert message in caught.value.message


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        terms = parse_filter(text)
    except InvalidRequestError:
        return
    for view in VIEWS:
        assert all(term.holds(view) in (True, False) for term in terms)


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("id desc", ["b@1.9", "b@1.10", "a"]),
        ("file_bytes desc", ["b@1.9", "a", "b@1.10"]),
        ("file_bytes", ["a", "b@1.9", "b@1.10"]),
        ("format, id desc", ["b@1.10", "b@1.9", "a"]),
        ("loaded desc, id asc", ["a", "b@1.10", "b@1.9"]),
    ],
)
def test_orders_put_what_is_unknown_last(order: str, wanted: list[str]) -> None:
    assert found("", order) == wanted


@pytest.mark.parametrize("order", ["size", "id down", "tags", "id,,name", "id desc x", "i" * 1025])
def test_wrong_orders_are_refused(order: str) -> None:
    with pytest.raises(InvalidRequestError, match="order_by"):
        found("", order)


def numbered(count: int) -> list[ModelView]:
    return [
        ModelView(replace(BASE, id=f"m{number:03}", created=float(count - number)))
        for number in range(count)
    ]


@pytest.mark.parametrize("order", ["", "created", "created desc"])
def test_pages_show_each_model_once(order: str) -> None:
    views = numbered(25)
    seen: list[str] = []
    query = ModelQuery("id = m*", order, 7)
    while True:
        page = model_page(query, views)
        seen += [view.record.id for view in page.models]
        if not page.next_page_token:
            break
        query = replace(query, page_token=page.next_page_token)
    wanted = sorted(view.record.id for view in views)
    assert seen == (wanted[::-1] if order == "created" else wanted)


@pytest.mark.parametrize("order", ["", "created desc"])
def test_a_page_goes_on_where_its_last_model_is_gone(order: str) -> None:
    views = numbered(9)
    first = model_page(ModelQuery("", order, 3), views)
    del views[2]
    second = model_page(ModelQuery("", order, 3, first.next_page_token), views)
    assert [view.record.id for view in second.models][-1] in ("m005", "m006")
    assert "m000" not in [view.record.id for view in second.models]


def test_a_removed_model_costs_no_other_one_its_place_by_id() -> None:
    views = numbered(9)
    first = model_page(ModelQuery(page_size=3), views)
    del views[0:3]
    second = model_page(ModelQuery(page_size=3, page_token=first.next_page_token), views)
    assert [view.record.id for view in second.models] == ["m003", "m004", "m005"]


@pytest.mark.parametrize("token", ["%", "x", "//8=", "W10=", "WyJ4IiwgImEiLCAtMV0="])
def test_foreign_tokens_are_refused(token: str) -> None:
    with pytest.raises(InvalidRequestError, match="page_token"):
        model_page(ModelQuery(page_token=token), VIEWS)


def test_a_token_is_good_for_its_own_filter_and_order_only() -> None:
    token = model_page(ModelQuery(page_size=1), VIEWS).next_page_token
    with pytest.raises(InvalidRequestError, match="page_token"):
        model_page(ModelQuery("format = gguf", page_token=token), VIEWS)
    with pytest.raises(InvalidRequestError, match="page_token"):
        model_page(ModelQuery("", "id desc", page_token=token), VIEWS)
