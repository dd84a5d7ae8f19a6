from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import plan_check
from llm_runner_router.migrate.plan import Change, MoveFile, Plan, WriteFile
from llm_runner_router.migrate.plan_check import check_plan
from unit.migrate.folders import old_folder, plan_of, snapshot

CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "edited": (lambda folder: (folder / ".env").write_bytes(b"X=1"), r"\.env has changed"),
    "gone": (lambda folder: (folder / ".env").unlink(), r"\.env has changed"),
    "a folder": (
        lambda folder: [(folder / ".env").unlink(), (folder / ".env").mkdir()],
        r"\.env has changed .*no file",
    ),
    "a pipe": (
        lambda folder: [(folder / ".env").unlink(), os.mkfifo(folder / ".env")],
        r"\.env has changed .*no file",
    ),
    "link led elsewhere": (
        lambda folder: (folder / "package.real.json").write_bytes(b"{}"),
        r"package\.json has changed",
    ),
    "made meanwhile": (
        lambda folder: [
            (folder / "models/configs").mkdir(),
            (folder / "models/configs/chat.json").symlink_to("nowhere"),
        ],
        r"models/configs/chat\.json has changed .*nothing is overwritten",
    ),
    "model gone": (
        lambda folder: (folder / "models/chat.gguf").unlink(),
        r"models/chat\.gguf has changed",
    ),
    "target taken": (
        lambda folder: [
            (folder / "models/cache").mkdir(),
            (folder / "models/cache/chat.gguf").touch(),
        ],
        r"models/cache/chat\.gguf has changed .*nothing is overwritten",
    ),
    "database there": (
        lambda folder: (folder / "models/registry.sqlite").touch(),
        r"models/registry\.sqlite has changed",
    ),
    "a link for a folder": (
        lambda folder: [
            (folder / "config").rename(folder / "elsewhere"),
            (folder / "config").symlink_to("elsewhere"),
        ],
        r"config is a symbolic link, so config/config\.json is not written",
    ),
    "a file for a folder": (
        lambda folder: (folder / "models/cache").touch(),
        r"models/cache is no folder",
    ),
}


def test_a_plan_that_holds(tmp_path: Path) -> None:
    check_plan(plan_of(old_folder(tmp_path)))


@pytest.mark.parametrize("name", CHANGES)
def test_a_folder_that_has_changed_since(tmp_path: Path, name: str) -> None:
    change, message = CHANGES[name]
    plan = plan_of(old_folder(tmp_path))
    change(tmp_path)
    with pytest.raises(MigrationError, match=message):
        check_plan(plan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([WriteFile(PurePosixPath("../x"), None, b"")], "no path inside"),
        ([WriteFile(PurePosixPath("/x"), None, b"")], "no path inside"),
        ([MoveFile(PurePosixPath(".env"), PurePosixPath("../x"))], "no path inside"),
        ([WriteFile(PurePosixPath("a\udc80"), None, b"")], "no name in UTF-8"),
        ([WriteFile(PurePosixPath("migration-backup/x"), None, b"")], "migration itself"),
        ([WriteFile(PurePosixPath(".llm-router-migration/x"), None, b"")], "migration itself"),
        (
            [
                WriteFile(PurePosixPath("x"), None, b""),
                MoveFile(PurePosixPath(".env"), PurePosixPath("x")),
            ],
            "x stands twice",
        ),
    ],
)
def test_plans_that_cannot_be(tmp_path: Path, changes: list[Change], message: str) -> None:
    with pytest.raises(MigrationError, match=message):
        check_plan(Plan(old_folder(tmp_path), "1.0", changes))


def test_another_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(old_folder(tmp_path))
    elsewhere = tmp_path.parent / "elsewhere"

    def nearest(path: Path) -> Path:
        return Path("/proc") if path.name == "chat.gguf" else elsewhere

    monkeypatch.setattr(plan_check, "nearest", nearest)
    with pytest.raises(MigrationError, match=r"models/chat\.gguf and .* lie on different disks"):
        check_plan(plan)


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_of(old_folder(tmp_path))
    access = os.access

    def refuse(path: Path, mode: int) -> bool:
        return access(path, mode) and Path(path).name != "models"

    monkeypatch.setattr(os, "access", refuse)
    with pytest.raises(MigrationError, match=r"the folder .*models cannot be written"):
        check_plan(plan)


def test_a_link_to_a_name_that_is_no_text(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    (folder / "models/odd.gguf").symlink_to(os.fsdecode(b"\xff"))
    move = MoveFile(PurePosixPath("models/odd.gguf"), PurePosixPath("models/cache/odd.gguf"))
    before = snapshot(folder)
    with pytest.raises(MigrationError, match=r"models/odd\.gguf is a link"):
        check_plan(replace(plan_of(folder), changes=[move], database=None))
    assert snapshot(folder) == before
