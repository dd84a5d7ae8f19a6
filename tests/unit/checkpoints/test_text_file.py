from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.text_file import read_bytes, read_object, read_text
from llm_runner_router.errors import ModelFileError, UnsupportedError


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff", b"[" * 300_000, b"null"])
def test_what_is_no_object_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"x\.json"):
        read_object(tmp_path / "x.json")


def test_limits(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bytes(tmp_path / "x", 5) == b"12345"
    with pytest.raises(ModelFileError, match="more than 4"):
        read_bytes(tmp_path / "x", 4)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match="regular"):
        read_bytes(tmp_path / "pipe")
    (tmp_path / "x").write_bytes(b"\xff")
    with pytest.raises(ModelFileError, match="UTF-8"):
        read_text(tmp_path / "x")
    with pytest.raises(ModelFileError, match="No such file"):
        read_text(tmp_path / "none")


def test_fields_are_typed() -> None:
    fields = Fields("f", {"n": 3, "x": 1.5, "b": True, "t": "a", "o": {"k": 1}, "null": None})
    assert (fields.count("n"), fields.number("x"), fields.text("t")) == (3, 1.5, "a")
    assert fields.flag("b", default=False)
    assert fields.part("o").count("k") == 1
    assert fields.count("null", 7) == 7
    assert not fields.has("null")


@pytest.mark.parametrize("value", [0, -1, 1.0, "1", True, [], 1 << 31, float("nan"), float("inf")])
def test_what_is_no_count(value: object) -> None:
    with pytest.raises(ModelFileError, match=r"f.*n is"):
        Fields("f", {"n": value}).count("n")


@pytest.mark.parametrize("value", [0, -1.0, "1", True, float("nan"), float("inf"), 10**400])
def test_what_is_no_number(value: object) -> None:
    with pytest.raises(ModelFileError):
        Fields("f", {"n": value}).number("n")


def test_required_values() -> None:
    fields = Fields("f", {"one": 1, "flag": True})
    fields.require("one", None, 1)
    fields.require("missing", 2, 2)
    with pytest.raises(UnsupportedError, match="flag"):
        fields.require("flag", 1, 1)  # True is no 1
    with pytest.raises(ModelFileError):
        fields.text("one")
    with pytest.raises(ModelFileError):
        fields.part("one")
    with pytest.raises(ModelFileError):
        Fields("f", {"t": "\ud800"}).text("t")
