from __future__ import annotations

from pathlib import Path

from llm_runner_router.migrate.digest import digest_of, file_digest

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_published_example(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert digest_of(b"abc") == file_digest(tmp_path / "abc") == ABC
