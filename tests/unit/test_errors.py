from __future__ import annotations

import pytest

from llm_runner_router.errors import InvalidRequestError, shorten
from llm_runner_router.tools import ToolMode


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ToolMode.REQUIRED, "'required'"),
        ("text", "'text'"),
        (1.5, "1.5"),
        ("x" * 79, f"'{'x' * 78}…"),
        pytest.param(10**5000, "<int>", id="long"),
    ],
)
def test_a_value_is_shown_as_it_is_written(value: object, text: str) -> None:
    assert shorten(value) == text


def test_the_error_of_a_field_names_value_and_choice() -> None:
    error = InvalidRequestError("tool_choice", ToolMode.REQUIRED, "none without tools")
    assert error.message == ("tool_choice: 'required' is not allowed; allowed: none without tools")
