"""Pages of models that a filter lets through, in an order."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Sequence

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.listing.fields import ModelField, field_of
from llm_runner_router.registry.listing.filter import parse_filter
from llm_runner_router.registry.records import ModelPage, ModelQuery, ModelView
from llm_runner_router.validation.request import check_count, check_text

PAGE_SIZE = 100
MAX_PAGE_SIZE = 1000
MAX_ORDER = 1024

SortKey = tuple[tuple[bool, object], ...]
Order = Sequence[tuple[ModelField, bool]]
"""Fields, each with whether its greatest values come first."""


def model_page(query: ModelQuery, views: Iterable[ModelView]) -> ModelPage:
    """The page that ``query`` asks for of all ``views``, which come in the order of their ids.

    InvalidRequestError names what is wrong with the query.
    """
    check_count("page_size", query.page_size, 0, 2**32 - 1)
    terms, order = parse_filter(query.filter), parse_order(query.order_by)
    size = min(query.page_size or PAGE_SIZE, MAX_PAGE_SIZE)
    fitting = ordered([view for view in views if all(term.holds(view) for term in terms)], order)
    begin = beginning(query, fitting)
    page = fitting[begin : begin + size]
    more = len(fitting) > begin + size
    return ModelPage(page, token_of(query, page[-1].record.id, begin + size) if more else "")


def beginning(query: ModelQuery, views: Sequence[ModelView]) -> int:
    """The row where the page begins: behind the last model of the page before.

    Where that is gone, behind its id in the order of ids, and otherwise at the row that was next.
    """
    if not query.page_token:
        return 0
    model, row = place_of(query)
    rows = (number for number, view in enumerate(views) if view.record.id == model)
    found = next(rows, None)
    if found is not None:
        return found + 1
    if query.order_by.strip():
        return row
    return sum(view.record.id < model for view in views)


def ordered(views: Sequence[ModelView], order: Order) -> Sequence[ModelView]:
    """``views`` by the last field first, so that the sorts before stay: they are stable."""
    result = sorted(views, key=lambda view: view.record.id)
    for field, descending in reversed(order):
        known = [view for view in result if field.read(view) is not None]
        unknown = [view for view in result if field.read(view) is None]
        result = [*sorted(known, key=field.read, reverse=descending), *unknown]  # type: ignore[arg-type]
    return result


def parse_order(text: str) -> Order:
    """The fields of ``order_by``."""
    check_text("order_by", text, MAX_ORDER, empty=True)
    return [ordering(part.split()) for part in text.split(",")] if text.strip() else []


def ordering(words: Sequence[str]) -> tuple[ModelField, bool]:
    """One field, and whether it is descending."""
    if not 1 <= len(words) <= 2 or words[1:] not in ([], ["asc"], ["desc"]):
        raise InvalidRequestError("order_by", " ".join(words), "fields such as file_bytes desc, id")
    field = field_of(words[0], "order_by")
    if field.kind is tuple:
        raise InvalidRequestError("order_by", words[0], "a field that has one value")
    return field, words[1:] == ["desc"]


def token_of(query: ModelQuery, model: str, row: int) -> str:
    """The page token behind a model, good for the same filter and order only."""
    text = json.dumps([fingerprint(query), model, row])
    return base64.urlsafe_b64encode(text.encode()).decode()


def place_of(query: ModelQuery) -> tuple[str, int]:
    """The model and the row behind which the page begins."""
    try:
        text = base64.b64decode(query.page_token, altchars=b"-_", validate=True).decode()
        mark, model, row = json.loads(text)
    except (binascii.Error, ValueError, TypeError, RecursionError):
        mark = model = row = None
    if mark != fingerprint(query) or not isinstance(model, str) or type(row) is not int or row < 0:
        allowed = "the next_page_token of the page before, with the same filter and order"
        raise InvalidRequestError("page_token", query.page_token, allowed)
    return model, row


def fingerprint(query: ModelQuery) -> str:
    """What tells filters and orders apart."""
    text = json.dumps([query.filter, query.order_by])
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
