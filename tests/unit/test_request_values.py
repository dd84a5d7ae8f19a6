from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from llm_runner_router.errors import FieldError, InvalidConfigError, InvalidRequestError
from llm_runner_router.old.models import renamed_model
from llm_runner_router.record_fields import record_of
from llm_runner_router.request_fields import request_of
from llm_runner_router.request_values import check_names, made, named
from llm_runner_router.tools import Tool

SECRET = "sk-very-secret"


def api_model(**values: Any) -> object:
    return record_of("m", None, {"provider": "openai", **values})  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("read", "field"),
    [
        (lambda: request_of("x", {"apiKey": SECRET}), "api_key"),
        (lambda: request_of("x", {"default_headers": {"a": SECRET}}), "default_headers"),
        (lambda: request_of("x", {"apiKey": SECRET, "api_key": "another"}), "api_key"),
        (lambda: request_of("x", {"apiKey": "another", "api_key": SECRET}), "api_key"),
        (lambda: request_of("x", {"tools": [{"name": "t", "key": SECRET}]}), "tools[0].key"),
        (lambda: request_of("x", {"routing": {"apiKey": SECRET}}), "routing.api_key"),
        (lambda: api_model(config={"apiKey": SECRET}), "config.api_key"),
        (lambda: api_model(endpoint={"key": SECRET}), "endpoint.key"),
        (lambda: api_model(endpoint=f"https://u:{SECRET}@h/v1"), "endpoint"),
        (lambda: api_model(endpoint=[SECRET]), "endpoint"),
        (lambda: renamed_model({"name": "m", "parameters": {"apiKey": SECRET}}), None),
        (
            lambda: renamed_model({"name": "m", "path": f"http://u:{SECRET}@h", "source": "a"}),
            "path",
        ),
    ],
)
def test_what_is_unknown_is_named_without_its_value(
    read: Callable[[], object], field: str | None
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read()
    assert SECRET not in f"{caught.value} {caught.value.value}"
    assert field in (caught.value.field, None)


@pytest.mark.parametrize("kind", [InvalidRequestError, InvalidConfigError])
def test_the_nearest_name_is_told(kind: type[FieldError]) -> None:
    with pytest.raises(kind, match=r"^a\.maxTokns: '…' .*: a known field, such as max_tokens$"):
        check_names({"maxTokns": SECRET}, ["max_tokens", "top_k"], "a.", kind)


def test_what_is_no_object_is_shown() -> None:
    with pytest.raises(InvalidRequestError, match=r"^tools: 'search' is not allowed"):
        made(Tool, "search", "tools")


def test_a_field_in_two_spellings_says_one_thing() -> None:
    assert named({"topK": 5, "top_k": 5, "min_p": None, "minP": 0}, "a", "") == {
        "top_k": 5,
        "min_p": 0,
    }
    with pytest.raises(InvalidRequestError, match=r"^a\.topK: .*: the field in one spelling only$"):
        named({"top_k": 0, "topK": 5}, "a", "")
