"""Questions written by hand, apart from the templates: they measure, they never train."""

import json
from dataclasses import dataclass
from pathlib import Path

_DIRECTORY = Path(__file__).parent
_HELD_OUT_FILE = _DIRECTORY / "heldout.json"
_DEVELOPMENT_FILE = _DIRECTORY / "development.txt"


@dataclass(frozen=True)
class Question:
    """A question and the id of the fact that answers it."""

    fact: str
    text: str


def held_out() -> list[Question]:
    """The hundred questions behind the published score."""
    return [Question(row["fact"], row["question"]) for row in _held_out_rows()]


def held_out_answers() -> list[tuple[str, str]]:
    """The same questions, each with the whole answer that counts as right."""
    return [(row["question"], row["answer"]) for row in _held_out_rows()]


def development() -> list[Question]:
    """Questions to look at while the templates are being written."""
    lines = _DEVELOPMENT_FILE.read_text(encoding="utf-8").splitlines()
    return [Question(*(part.strip() for part in line.split("|", 1))) for line in lines]


def normalised(text: str) -> str:
    """Two questions that differ only in case and closing marks count as the same."""
    return text.lower().rstrip("?!. ")


def _held_out_rows() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(_HELD_OUT_FILE.read_text(encoding="utf-8"))
    return rows
