"""Digests of files."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from llm_runner_router.registry.sources.digest import hashed, hashing
from llm_runner_router.registry.sources.web.partial import PIECE

CONTENT = b"x" * (2 * PIECE + 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "f"
    path.write_bytes(CONTENT)
    return path


async def test_a_digest_comes_piece_by_piece(path: Path) -> None:
    told: list[int] = []
    assert await hashed(path, hashlib.sha256(), told.append) == hashlib.sha256(CONTENT).hexdigest()
    assert told == [PIECE, 2 * PIECE, 2 * PIECE + 1]


def test_a_hash_may_have_begun(path: Path) -> None:
    digest = hashlib.sha1(b"head", usedforsecurity=False)
    assert list(hashing(path, digest))[-1] == len(CONTENT)
    assert digest.hexdigest() == hashlib.sha1(b"head" + CONTENT).hexdigest()


async def test_it_may_be_given_up(path: Path) -> None:
    told: list[int] = []

    def give_up(done: int) -> None:
        told.append(done)
        task.cancel()

    task = asyncio.ensure_future(hashed(path, hashlib.sha256(), give_up))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told == [PIECE]
