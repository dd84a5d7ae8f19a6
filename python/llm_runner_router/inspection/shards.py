"""The files of one model: itself, or the parts of a set named as llama.cpp's gguf-split does."""

from __future__ import annotations

import re
from pathlib import Path

PART = re.compile(r"(?P<stem>.+)-(?P<part>\d{5})-of-(?P<count>\d{5})\.gguf", re.DOTALL)
MOST_PARTS = 1000


def parts_of(path: Path) -> tuple[Path, ...]:
    """Every path of the set that ``path`` is a part of, whether there is a file or not.

    A path with another name, or of a part or a number of parts that makes no sense, stands for
    itself.
    """
    match = PART.fullmatch(path.name)
    if match is None:
        return (path,)
    part, count = int(match["part"]), int(match["count"])
    if not 1 <= part <= count <= MOST_PARTS:
        return (path,)
    names = (f"{match['stem']}-{n:05}-of-{count:05}.gguf" for n in range(1, count + 1))
    return tuple(path.with_name(name) for name in names)
