"""The files of one model: itself, or a set named as llama.cpp's gguf-split names them."""

from __future__ import annotations

import re
from pathlib import Path

PART = re.compile(r"-\d{5}-of-(\d{5}\.gguf)\Z")


def first_of(path: Path) -> Path:
    """The first file of the set that ``path`` names a part of; ``path`` where it names none."""
    return path.with_name(PART.sub(r"-00001-of-\1", path.name))
