from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath
from stat import S_IMODE

from llm_runner_router.migrate.plan import MoveFile, Plan
from llm_runner_router.migrate.relative_path import BACKUPS
from llm_runner_router.migrate.staging import begin, settle, stage
from llm_runner_router.migrate.step import unobserved
from llm_runner_router.migrate.work import work_of
from unit.migrate.disk_log import recorded
from unit.migrate.folders import MODEL, make_database, old_folder, plan_of

WORK = ".llm-router-migration"


def staged(folder: Path, plan: Plan) -> Path:
    begin(folder, unobserved)
    return stage(work_of(plan), unobserved)


def test_the_tree_looks_as_the_folder_will(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    (folder / BACKUPS).mkdir()
    tree = staged(folder, plan_of(folder))
    assert {path.name for path in tree.iterdir()} == {
        *("config", ".env", "models", "package.json", "package.real.json", "node_modules"),
    }
    assert (tree / "models/cache/chat.gguf").read_bytes() == MODEL
    assert not (tree / "models/chat.gguf").exists()
    assert (tree / "models/other.bin").read_bytes() == b"other"
    assert (tree / "node_modules/left/index.js").read_bytes() == b"left"
    assert (tree / "models/configs/chat.json").read_bytes() == b"{}\n"
    assert (tree / "package.json").read_bytes() == b'{"type": "module"}'


def test_what_is_written_lies_in_it_and_the_rest_is_linked(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    tree = staged(folder, plan_of(folder))
    own = {
        str(path.relative_to(tree))
        for path in tree.rglob("*")
        if path.is_file() and not path.is_symlink() and "node_modules" not in path.parts
    }
    assert own == {
        *("config/config.json", "models/registry.json", "models/configs/chat.json"),
        *("package.json", ".env"),
    }
    modes = {name: S_IMODE((tree / name).stat().st_mode) for name in own}
    assert modes == {
        "config/config.json": 0o600,
        "models/registry.json": 0o664,
        "models/configs/chat.json": 0o664,  # models/ is open to its group
        "package.json": 0o604,
        ".env": 0o640,
    }


def test_a_folder_that_is_a_link_is_looked_through(tmp_path: Path) -> None:
    folder = old_folder(tmp_path / "folder")
    (folder / "models").rename(tmp_path / "store")
    (folder / "models").symlink_to("../store")
    tree = staged(folder, plan_of(folder))
    assert not (tree / "models").is_symlink()
    assert (tree / "models/cache/chat.gguf").read_bytes() == MODEL
    assert (tree / "models/other.bin").read_bytes() == b"other"


def test_a_link_to_a_model_leads_there_from_the_tree(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    (folder / "models/chat.gguf").rename(folder / "real.gguf")
    (folder / "models/chat.gguf").symlink_to("../real.gguf")
    move = MoveFile(PurePosixPath("models/chat.gguf"), PurePosixPath("models/cache/chat.gguf"))
    tree = staged(folder, replace(plan_of(folder), changes=[move]))
    assert (tree / "models/cache/chat.gguf").read_bytes() == MODEL
    assert (folder / WORK / "links/0").readlink() == Path("../../real.gguf")


def test_everything_is_on_the_disk_once_it_is_settled(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    plan = plan_of(folder)
    with recorded(folder) as log:
        tree = staged(folder, plan)
        make_database(tree, plan)
        (tree / "models/registry.sqlite").chmod(0o600)
        settle(work_of(plan))
    last = log.position("sync", f"{WORK}/tree/models/registry.sqlite")
    assert S_IMODE((tree / "models/registry.sqlite").stat().st_mode) == 0o664
    names = ("config/config.json", "models/registry.json", "models/configs/chat.json", ".env")
    for name in names:
        assert log.position("sync", f"{WORK}/tree/{name}") < last
    for place in ("tree/models/configs", "tree/models", "tree/config", "tree", "links", "trash"):
        assert log.position("sync", f"{WORK}/{place}", last) > last
    assert log[-1] == ("sync", WORK)


def test_the_folder_of_the_work_is_known_at_once(tmp_path: Path) -> None:
    with recorded(tmp_path) as log:
        begin(tmp_path, unobserved)
    assert log[0] == ("sync", ".")
    assert S_IMODE((tmp_path / WORK).stat().st_mode) == 0o700


def test_content_is_staged_as_it_will_be(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    plan = plan_of(folder)
    tree = staged(folder, plan)
    for change in plan.changes:
        if not isinstance(change, MoveFile):
            assert (tree / change.path).read_bytes() == change.after
