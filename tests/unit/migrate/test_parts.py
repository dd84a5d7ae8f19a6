from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.parts import named


def test_errors_say_which_file_they_are_of_and_none_of_its_secrets() -> None:
    address = "https://u:hush@x.example"
    with pytest.raises(InvalidConfigError) as caught, named(PurePosixPath("a.json")):
        raise InvalidConfigError(f"a.{address}", address, f"as {address}", reason="WRONG")
    error = caught.value
    assert (error.field, error.reason) == ("a.json: a.https://u:…@x.example", "WRONG")
    assert (error.value, error.allowed) == ("https://…@x.example", "as https://u:…@x.example")
    assert "hush" not in error.message
