from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.errors import ModelFileError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.local import FileFetcher
from llm_runner_router.registry.sources.pulled import PulledModel
from llm_runner_router.registry.sources.source import FileSource

FIRST, SECOND = "m-00001-of-00002.gguf", "m-00002-of-00002.gguf"


async def test_files_are_used_where_they_lie(tmp_path: Path) -> None:
    fetcher = FileFetcher(tmp_path)
    source = FileSource(Path(FIRST))
    (tmp_path / FIRST).write_bytes(b"GGUF")
    assert fetcher.find(source) is None
    with pytest.raises(ModelFileError, match=SECOND):
        await fetcher.fetch(source, lambda _: None)
    (tmp_path / SECOND).write_bytes(b"GGUF12")
    told: list[PullProgress] = []
    pulled = PulledModel(tmp_path / FIRST, in_place=True)
    assert await fetcher.fetch(source, told.append) == pulled
    assert fetcher.find(source) == pulled
    assert told == [PullProgress("verifying", FIRST, 10, 10)]


@pytest.mark.parametrize("content", [b"", b"GGU", b"secret: 7"])
async def test_what_is_no_model_is_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.gguf").write_bytes(content)
    with pytest.raises(ModelFileError, match="is no GGUF file") as caught:
        await FileFetcher(tmp_path).fetch(FileSource(Path("m.gguf")), lambda _: None)
    assert "secret" not in caught.value.message
