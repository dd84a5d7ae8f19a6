from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.inspection.shards import first_of


@pytest.mark.parametrize(
    ("path", "first"),
    [
        ("m-00002-of-00003.gguf", "m-00001-of-00003.gguf"),
        ("m-00001-of-00003.gguf", "m-00001-of-00003.gguf"),
        ("a-00002-of-00003.gguf/m.gguf", "a-00002-of-00003.gguf/m.gguf"),
        ("a/x-00001-of-00002-00002-of-00009.gguf", "a/x-00001-of-00002-00001-of-00009.gguf"),
        ("m-2-of-3.gguf", "m-2-of-3.gguf"),
        ("m-00002-of-00003.gguf\n", "m-00002-of-00003.gguf\n"),
        ("m.gguf", "m.gguf"),
    ],
)
def test_the_first_of_a_set(path: str, first: str) -> None:
    assert first_of(Path(path)) == Path(first)
