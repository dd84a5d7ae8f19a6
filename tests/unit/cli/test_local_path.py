"""Paths on the command line, odd ones too, end in an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from llm_runner_router.cli.local_path import absolute, exists, expanded, is_regular
from llm_runner_router.cli.serve import parse_model
from unit.cli.services import FakeService, run

NOBODY = "~no-such-user/x.gguf"
TOO_LONG = f"/{'a' * 300}.gguf"


def test_a_home_is_expanded_and_that_of_nobody_is_not() -> None:
    assert expanded("~/x") == Path.home() / "x"
    assert expanded(NOBODY) == Path(NOBODY)


def test_what_is_here_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.gguf").touch()
    assert absolute("m.gguf") == str(tmp_path / "m.gguf")
    for text in ("", "none.gguf", NOBODY, TOO_LONG, "a\0b", "hf://o/r"):
        assert absolute(text) == text


def test_what_cannot_be_looked_at_is_not_there(tmp_path: Path) -> None:
    assert exists(tmp_path)
    assert not is_regular(tmp_path)
    for path in (Path(TOO_LONG), Path(NOBODY), tmp_path / "none"):
        assert not exists(path)
        assert not is_regular(path)


@pytest.mark.parametrize("text", [NOBODY, TOO_LONG, ""])
def test_the_service_judges_what_is_not_here(service: FakeService, text: str) -> None:
    assert run("models", "add", "v", text).exit_code == 0
    assert service.asked[-1].source == text


def test_a_pull_of_nobodys_file_is_asked_for(service: FakeService) -> None:
    assert run("pull", NOBODY).exit_code == 0
    assert run("pull", TOO_LONG).exit_code == 0
    assert service.asked == [(str(Path.cwd() / NOBODY), ""), (TOO_LONG, "")]


@pytest.mark.parametrize("path", [NOBODY, TOO_LONG])
def test_files_that_cannot_be_there_are_told_of(tmp_path: Path, path: str) -> None:
    here = str(tmp_path / "target.gguf")
    for arguments, code in (
        (("quantize", path, here), 1),
        (("quantize", here, path), 1),
        (("models", "show", path), 1),
        (("validate-config", path), 2),
    ):
        result = run(*arguments)
        assert (result.exit_code, type(result.exception)) == (code, SystemExit), result.output
        assert result.output.startswith("error: ")
    with pytest.raises(typer.BadParameter, match="no such file"):
        parse_model(f"m={path}")
