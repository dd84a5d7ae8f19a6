"""JSON that requests carry as text."""

from __future__ import annotations

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.providers.request_json import json_object


def test_an_object_as_text() -> None:
    assert json_object("field", "") == {}
    assert list(json_object("field", '{"z": 1, "a": {"b": null}}')) == ["z", "a"]


@pytest.mark.parametrize("text", ["[]", "1", "null", "{", '{"a": ' * 100_000])
def test_anything_else_is_named(text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        json_object("field", text)
    assert caught.value.field == "field"
    assert len(caught.value.message) < 300
