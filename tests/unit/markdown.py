"""Pages of docs/ in pieces, for tests that hold them to the code."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def sections(page: str) -> dict[str, str]:
    """The sections of ``docs/page`` by their headings."""
    parts = (DOCS / page).read_text(encoding="utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: part for part in parts}


def table(section: str, head: str) -> list[list[str]]:
    """The rows of the table whose first column is called ``head``, cell by cell."""
    lines = section.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows: list[list[str]] = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def code(cell: str) -> list[str]:
    """What of a cell stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def pairs(section: str, head: str) -> list[tuple[str, str]]:
    """The first two columns of a table; a name for each that shares a cell with others."""
    rows = [(code(first), code(second)) for first, second, *_ in table(section, head)]
    return [(name, second[0]) for first, second in rows for name in first]
