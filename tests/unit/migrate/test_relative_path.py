from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from llm_runner_router.migrate.relative_path import inside


@pytest.mark.parametrize("path", ["a", "a/b c", ".env", "models/x..y.gguf", "ü"])
def test_paths_below_a_folder(path: str) -> None:
    assert inside(PurePosixPath(path)) == PurePosixPath(path)


@pytest.mark.parametrize("path", ["/etc/passwd", "..", "a/../../b", ".", "", "a\0b", "a\udcff"])
def test_other_paths_are_refused_by_name(path: str) -> None:
    with pytest.raises(ValueError, match=r"no path inside the folder|no name in UTF-8") as caught:
        inside(PurePosixPath(path))
    assert repr(str(PurePosixPath(path))) in str(caught.value)
