"""What reaches the terminal, and the exit code."""

from __future__ import annotations

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.cli.output import errors, metrics_table, printable, say, speed
from llm_runner_router.cli.running import exit_code, reported
from llm_runner_router.errors import (
    InvalidConfigError,
    ModelNotFoundError,
    OverloadedError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.types import Complete, FinishReason, Metrics


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_printed(text: str) -> None:
    shown = printable(text)
    assert not any(ord(c) < 0x20 and c not in "\n\t" for c in shown)
    assert not any(0x7F <= ord(c) < 0xA0 for c in shown)


def test_words_between_colons_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    text = "a:x:b :tada: [bold]"
    say(text)
    errors.print(text, markup=False)
    assert tuple(capsys.readouterr()) == (f"{text}\n", f"{text}\n")


def test_errors_say_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit), reported():
        raise RouterError("a\x1b]0;title\x07 name")
    assert capsys.readouterr().err == "error: a]0;title name\n"


def test_names_that_are_no_text_can_be_printed() -> None:
    assert printable("a\udcff b\ud800") == "a\ufffd b\ufffd"


def test_text_stays_as_it_is() -> None:
    text = "Grüße, 世界 👋\n\ttab"
    assert printable(text) == text
    assert printable("\x1b[31mred\x07\x9b0m") == "[31mred0m"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelNotFoundError("a"), 1),
        (InvalidConfigError("a", 1, "2"), 2),
        (UnavailableError("away"), 3),
        (OverloadedError("full", retry_after=1), 3),
    ],
)
def test_exit_codes(error: RouterError, code: int) -> None:
    assert exit_code(error) == code


def test_speed_counts_the_time_after_the_first_token() -> None:
    metrics = Metrics(completion_tokens=11, duration_ms=1100.0, first_token_ms=100.0)
    complete = Complete(FinishReason.STOP, "m", metrics)
    assert speed(complete) == "10 tokens/s"
    assert speed(Complete(FinishReason.STOP, "m", Metrics(completion_tokens=1))) == "-"
    assert metrics_table(complete).row_count == 8
