from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from llm_runner_router.registry.sources.web.target_lock import target_lock


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_one_after_another(tmp_path: Path) -> None:
    inside = 0
    seen: list[int] = []

    async def enter() -> None:
        nonlocal inside
        async with target_lock(tmp_path / "f"):
            inside += 1
            await asyncio.sleep(0)
            seen.append(inside)
            inside -= 1

    await asyncio.gather(enter(), enter(), enter())
    assert seen == [1, 1, 1]
    assert names(tmp_path) == []


async def test_who_waits_can_be_cancelled(tmp_path: Path) -> None:
    async with target_lock(tmp_path / "f"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), target_lock(tmp_path / "f"):
                pass
    assert names(tmp_path) == []


async def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        async with target_lock(tmp_path / "missing" / "f"):
            pass
