from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.migrate.digest import digest_of
from llm_runner_router.migrate.manifest import AddedFile, AddedLink, KeptLink
from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile
from llm_runner_router.migrate.work import manifest_of, missing_folders, work_of
from unit.migrate.folders import MODEL, OLD_CONFIG, old_folder, plan_of


def test_a_plan_by_kinds(tmp_path: Path) -> None:
    work = work_of(plan_of(old_folder(tmp_path)))
    assert [str(path) for path in work.placed] == [
        "config/config.json",
        "models/registry.json",
        "models/configs/chat.json",
        "package.json",
        ".env",
        "models/registry.sqlite",
    ]
    assert [str(move.target) for move in work.moves] == ["models/cache/chat.gguf"]
    assert [str(path) for path in work.folders] == ["models/cache", "models/configs"]


def test_a_file_that_stays_the_same_is_no_work(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    same = WriteFile(PurePosixPath("a"), b"same", b"same")
    assert work_of(Plan(tmp_path, "1.2", [same])).writes == []


def test_the_list_of_the_backup(tmp_path: Path) -> None:
    manifest = manifest_of(work_of(plan_of(old_folder(tmp_path))), "now")
    config, registry, environment = manifest.files
    assert (config.sha256, config.size, config.mode) == (digest_of(OLD_CONFIG), 43, 0o600)
    assert (registry.mode, environment.mode) == (0o664, 0o640)
    assert environment.modified_ns == (tmp_path / ".env").stat().st_mtime_ns
    (link,) = manifest.symlinks
    assert (str(link.path), link.text) == ("package.json", "package.real.json")
    assert [(str(added.path), added.sha256) for added in manifest.added] == [
        ("models/configs/chat.json", digest_of(b"{}\n")),
        ("models/registry.sqlite", None),
    ]
    (move,) = manifest.moves
    assert (str(move.path), move.size) == ("models/chat.gguf", len(MODEL))
    assert [str(path) for path in manifest.folders] == ["models/cache", "models/configs"]


@pytest.mark.parametrize(
    ("text", "moved"),
    [("x.gguf", "../x.gguf"), ("../store/x", "../../store/x"), ("/store/x", "/store/x")],
)
def test_a_link_that_moves_leads_to_where_it_led(tmp_path: Path, text: str, moved: str) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models/chat.gguf").symlink_to(text)
    path, target = PurePosixPath("models/chat.gguf"), PurePosixPath("models/cache/chat.gguf")
    work = work_of(Plan(tmp_path, "1.0", [MoveFile(path, target)]))
    assert (work.moves, len(work.links)) == ([], 1)
    manifest = manifest_of(work, "now")
    assert manifest.symlinks == (KeptLink(path=path, text=text),)
    assert manifest.added_symlinks == (AddedLink(path=target, text=moved),)
    assert manifest.moves == ()


def test_a_new_file_is_known_by_its_content(tmp_path: Path) -> None:
    made = WriteFile(PurePosixPath("a/b/c.json"), None, b"{}")
    manifest = manifest_of(work_of(Plan(tmp_path, "1.0", [made])), "now")
    assert manifest.added == (AddedFile(path=made.path, sha256=digest_of(b"{}")),)
    assert manifest.folders == (PurePosixPath("a"), PurePosixPath("a/b"))


def test_folders_are_named_once_and_outermost_first(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    targets = [PurePosixPath(path) for path in ("a/b/c", "a/b/d", "there/e", "f", "a/g/h")]
    found = missing_folders(tmp_path, targets)
    assert [str(path) for path in found] == ["a", "a/b", "a/g"]
