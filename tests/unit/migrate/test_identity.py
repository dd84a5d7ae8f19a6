"""Rollback after migrate gives back every byte and every mode, whatever the folder and the plan."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.migrate.plan import Change, MoveFile, Plan, WriteFile
from llm_runner_router.migrate.rollback import rollback
from llm_runner_router.migrate.transaction import migrate
from unit.migrate.folders import make_database, memory_folder, old_folder, plan_of, snapshot

NAMES = st.sampled_from(["a", "b c", "'q\".json", "ü", ".env", "x\ny", "config.json", "m.GGUF"])
FOLDERS = st.sampled_from(["", "f/", "f/g h/", "models/", "models/cache/"])
PATHS = st.builds(lambda folder, name: PurePosixPath(folder + name), FOLDERS, NAMES)
MODES = st.sampled_from([0o400, 0o600, 0o640, 0o644, 0o664, 0o755, 0o4755])
FOLDER_MODES = st.sampled_from([0o700, 0o750, 0o755, 0o775, 0o1777])
CONTENTS = st.binary(max_size=40)


@dataclass(frozen=True)
class Case:
    """What lies in a folder (content and mode, or the text of a link), and what is to change."""

    files: dict[PurePosixPath, tuple[bytes, int] | str]
    folder_modes: tuple[int, ...]
    writes: dict[PurePosixPath, bytes]
    moves: dict[PurePosixPath, PurePosixPath]
    database: PurePosixPath | None


@st.composite
def cases(draw: st.DrawFn) -> Case:
    content = st.tuples(CONTENTS, MODES) | st.sampled_from(["target", "../target", "nowhere"])
    files = draw(st.dictionaries(PATHS, content, max_size=8))
    writes = draw(st.dictionaries(PATHS, CONTENTS, max_size=5))
    there = sorted(set(files) - set(writes))
    targets = draw(st.lists(PATHS, unique=True, max_size=4))
    free = [path for path in targets if path not in files and path not in writes]
    moves = dict(zip(there, free, strict=False))
    taken = {*files, *writes, *moves.values()}
    database = draw(st.none() | PATHS)
    modes = draw(st.tuples(*[FOLDER_MODES] * 5))
    return Case(files, modes, writes, moves, None if database in taken else database)


def build(folder: Path, case: Case) -> None:
    """The folder; links may lead to a file or to nothing."""
    for path, content in case.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            (folder / path).symlink_to(content)
        else:
            (folder / path).write_bytes(content[0])
            (folder / path).chmod(content[1])
    made = sorted(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())
    for path, mode in zip(made, case.folder_modes, strict=False):
        path.chmod(mode)


def plan(folder: Path, case: Case) -> Plan:
    """Links that lead nowhere have no content to be rewritten; they may move."""
    changes: list[Change] = []
    for path, after in case.writes.items():
        before = (folder / path).read_bytes() if (folder / path).is_file() else None
        if before is not None or not (folder / path).is_symlink():
            changes.append(WriteFile(path, before, after))
    changes += [MoveFile(path, target) for path, target in case.moves.items()]
    return Plan(folder, "1.0", changes, database=case.database)


@settings(max_examples=120, deadline=None)
@given(cases(), st.sampled_from([0o000, 0o022, 0o077]))
def test_rollback_after_migrate_changes_nothing(case: Case, umask: int) -> None:
    with memory_folder() as folder:
        (folder / "target").write_bytes(b"led to")
        build(folder, case)
        before = snapshot(folder)
        wanted = plan(folder, case)
        umask_before = os.umask(umask)
        try:
            outcome = migrate(wanted, trial=make_database)
            assert all((folder / path).is_file() for path in case.writes if path not in case.files)
            if outcome.backup:
                rollback(folder)
        finally:
            os.umask(umask_before)
        assert snapshot(folder) == before


def test_rollback_after_a_real_trial_changes_nothing(tmp_path: Path) -> None:
    folder = old_folder(tmp_path)
    before = snapshot(folder)
    migrate(plan_of(folder))
    assert (folder / "models/registry.sqlite").read_bytes().startswith(b"SQLite format 3\0")
    rollback(folder)
    assert snapshot(folder) == before
