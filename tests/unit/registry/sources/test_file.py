from __future__ import annotations

import os
from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidRequestError, ModelFileError, UnsupportedError
from llm_runner_router.registry.sources.file import absolute_path, checked_file

HERE = Path("/srv/models")


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("a.gguf", "/srv/models/a.gguf"),
        ("../b/a 'b\".GGUF", "/srv/b/a 'b\".GGUF"),
        ("/x/a.gguf", "/x/a.gguf"),
        ("file:///x/a%20b.gguf", "/x/a b.gguf"),
        ("FILE://localhost/x", "/x"),
        ("C:/x", "/srv/models/C:/x"),
    ],
)
def test_paths(source: str, path: str) -> None:
    assert absolute_path(source, HERE) == Path(path)


@pytest.mark.parametrize("source", ["hf://a/b", "ollama://llama3", "https://x/y.gguf", "s3://a"])
def test_other_schemes_are_not_offered(source: str) -> None:
    with pytest.raises(UnsupportedError, match="file://"):
        absolute_path(source, HERE)


@pytest.mark.parametrize(
    "source",
    ["", "file://host/x", "file://x", "file:///a%00b", "a\0b", "file:///%ff", "file://[x/"],
)
def test_what_is_no_path(source: str) -> None:
    with pytest.raises(InvalidRequestError):
        absolute_path(source, HERE)


def test_files_are_checked(tmp_path: Path) -> None:
    good = tmp_path / "good"
    good.write_bytes(b"12345")
    assert checked_file(good) == 5
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("missing", "pipe", ".", "loop", "good/below", "x" * 300):
        with pytest.raises(ModelFileError):
            checked_file(tmp_path / name)
