"""Odd paths on the command line end in an answer."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from llm_runner_router.cli.serve import parse_model
from unit.cli.services import FakeService, run

NOBODY = "~no-such-user/x.gguf"
TOO_LONG = f"/{'a' * 300}.gguf"


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


def test_a_store_of_nobodys_is_empty(service: FakeService) -> None:
    result = run("migrate", "ollama", "--store", "~no-such-user/models", "--dry-run")
    assert type(result.exception) in (SystemExit, type(None)), result.output
    assert service.open == 0
