"""Keys name all that prefixes depend on; the folder stays within its limit and is its own."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from llm_runner_router.providers import kv_snapshots
from llm_runner_router.providers.file_digests import FileStamp
from llm_runner_router.providers.kv_snapshots import KvSnapshot, KvSnapshots

NAMES = [f"{number:064x}.kv" for number in range(5)]


def found(
    folder: Path, model: Sequence[Path], build: Sequence[Path] = (), identity: str = "f16"
) -> KvSnapshot:
    snapshots = KvSnapshots(folder, 1000)
    snapshots.open()
    stamps = [FileStamp.of(path) for path in model]
    snapshot = snapshots.find(stamps, build, identity, lambda: True)
    assert snapshot is not None
    return snapshot


def file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_the_key_is_of_contents_build_and_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kv"
    model, other = file(tmp_path / "a", b"weights"), file(tmp_path / "b", b"others")
    code = file(tmp_path / "core.so", b"code")
    usual = found(folder, [model], [code])
    assert usual.path.parent == folder
    assert kv_snapshots.SNAPSHOT.fullmatch(usual.path.name)
    assert len(usual.key) < 4096
    assert usual.current
    different = [
        found(folder, [other], [code]),
        found(folder, [model, other], [code]),
        found(folder, [other, model], [code]),
        found(folder, [model], [other]),
        found(folder, [model], [code], "f32"),
    ]
    monkeypatch.setattr(kv_snapshots, "VERSION", "99")
    different.append(found(folder, [model], [code]))
    assert len({usual.key, *(s.key for s in different)}) == 7
    assert len({usual.path, *(s.path for s in different)}) == 7


def test_a_renamed_model_keeps_its_snapshot(tmp_path: Path) -> None:
    model = file(tmp_path / "a", b"weights")
    before = found(tmp_path / "kv", [model])
    after = found(tmp_path / "kv", [model.rename(tmp_path / "b")])
    assert (after.path, after.key) == (before.path, before.key)
    assert after.current
    assert not before.current


def test_a_replaced_model_has_another_snapshot(tmp_path: Path) -> None:
    model = file(tmp_path / "a", b"weights")
    before = found(tmp_path / "kv", [model])
    file(model, b"WEIGHTS")
    assert not before.current
    assert found(tmp_path / "kv", [model]).path != before.path


def test_a_model_that_changed_while_it_was_loaded_has_none(tmp_path: Path) -> None:
    model = file(tmp_path / "a", b"weights")
    stamps = [FileStamp.of(model)]
    file(tmp_path / "b", b"others!").rename(model)
    snapshots = KvSnapshots(tmp_path / "kv", 1000)
    snapshots.open()
    assert snapshots.find(stamps, [], "f16", lambda: True) is None


def test_the_oldest_snapshots_are_deleted_first(tmp_path: Path) -> None:
    for age, name in enumerate([NAMES[2], NAMES[0], NAMES[1], NAMES[3]]):
        os.utime(file(tmp_path / name, bytes(100)), (10_000 - age, 10_000 - age))
    other = file(tmp_path / "other.kv", bytes(1000))
    KvSnapshots(tmp_path, 400).trim()
    assert len(list(tmp_path.iterdir())) == 5
    KvSnapshots(tmp_path, 399).trim()
    assert {path.name for path in tmp_path.iterdir()} == {*NAMES[:3], other.name}
    KvSnapshots(tmp_path, 150).trim()
    assert {path.name for path in tmp_path.iterdir()} == {NAMES[2], other.name}
    KvSnapshots(tmp_path, 99).trim()
    assert {path.name for path in tmp_path.iterdir()} == {other.name}


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    outside = file(tmp_path / "outside", b"kept")
    folder = tmp_path / "kv"
    folder.mkdir()
    left = [f"{NAMES[0]}.aB3_xZ.tmp", "digests.json.x_1.tmp", f"{NAMES[0]}.lock"]
    kept = [NAMES[1], "digests.json", "notes.tmp", f"{NAMES[0]}.tmp", "x" + left[0], "a.lock"]
    for name in (*left, *kept):
        file(folder / name, b"")
    (folder / f"{NAMES[2]}.aaaaaa.tmp").symlink_to(outside)
    writing = (folder / f"{NAMES[3]}.bbbbbb.tmp").open("wb")
    with writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        KvSnapshots(folder, 1000).open()
        names = {path.name for path in folder.iterdir()}
        assert names - {f"{NAMES[2]}.aaaaaa.tmp"} == {*kept, Path(writing.name).name}
    assert outside.read_bytes() == b"kept"
    KvSnapshots(folder, 1000).open()
    assert not Path(writing.name).exists()


def test_the_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    KvSnapshots(tmp_path / "a" / "kv", 1000).open()
    assert (tmp_path / "a" / "kv").stat().st_mode & 0o777 == 0o700
    file(tmp_path / "taken", b"")
    with pytest.raises(OSError, match="exists"):
        KvSnapshots(tmp_path / "taken", 1000).open()


def test_a_discarded_snapshot_is_gone_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = file(tmp_path / NAMES[0], b"damaged")
    snapshots = KvSnapshots(tmp_path, 1000)
    for _ in range(2):
        snapshots.discard(KvSnapshot(path, "key", ()), "it is damaged")
    assert not path.exists()
    assert "is discarded: it is damaged" in caplog.text


def test_a_snapshot_is_one_engines_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kv_snapshots, "TURN_SECONDS", 0.0)
    snapshots, others = KvSnapshots(tmp_path, 1000), KvSnapshots(tmp_path, 1000)
    first, second = (KvSnapshot(tmp_path / name, "key", ()) for name in NAMES[:2])
    with snapshots.turn(first), others.turn(second):
        with pytest.raises(TimeoutError, match="too long"), others.turn(first):
            pass
        others.open()
    with others.turn(first):
        pass
    assert list(tmp_path.iterdir()) == []
