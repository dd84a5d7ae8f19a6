from __future__ import annotations

import pytest

from llm_runner_router.hidden import HIDDEN, hidden, shown_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://u:SECRET@h:1", "https://…@h:1"),
        ("u:SECRET@h:1", "…@h:1"),
        ("//u:SECRET@h/a", "//…@h/a"),
        ("https://SE@CRET@h/v1", "https://…@h/v1"),
        ("https://u:SEC\nRET@h", "https://…@h"),
        ("https://h/x?key=SECRET", "https://h/x?…"),
        ("https://h/x#SECRET", "https://h/x#…"),
        ("https://h/x?key=SEC@RET", "https://…"),
        ("https://u:SEC/RET@h", "https://…"),
        ("https://u:SEC?RET@h", "https://…"),
        ("https://u:SEC#RET@h", "https://…"),
        ("u:SEC/RET@h:1", "…"),
        ({"key": "SECRET"}, "…"),
    ],
    ids=repr,
)
def test_of_an_address_the_secret_is_hidden(address: object, shown: str) -> None:
    assert shown_address(address) == shown


@pytest.mark.parametrize(
    "address",
    ["h:1", "[::1]:50051", "dns:///h:1", "https://h:1/v1", "unix:/run/a@1.sock", "h", None, 5],
)
def test_an_address_without_a_secret_is_shown(address: object) -> None:
    assert shown_address(address) == address


@pytest.mark.parametrize("value", ["SECRET", b"SECRET", ["SECRET"], {"a": 1}, object()])
def test_a_value_in_the_wrong_place_is_hidden(value: object) -> None:
    assert hidden(value) == HIDDEN


@pytest.mark.parametrize("value", [None, 5, 0.5, True])
def test_a_number_in_the_wrong_place_is_shown(value: object) -> None:
    assert hidden(value) is value
