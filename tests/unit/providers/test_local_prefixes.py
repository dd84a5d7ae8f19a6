"""What an engine saves is added to what others have saved, each after the other."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router import _core
from llm_runner_router.providers import kv_snapshots
from llm_runner_router.providers.kv_snapshots import KvSnapshot, KvSnapshots
from llm_runner_router.providers.local_prefixes import LocalPrefixes

WAIT = 30.0


class Engine:
    """Keeps words as if they were prefixes, in a file of JSON."""

    def __init__(self, *words: str) -> None:
        self.words = set(words)
        self.reads = 0
        self.before_save: Callable[[], object] = lambda: None

    def restore_kv(self, path: Path, key: str) -> int:
        assert key == "key"
        self.reads += 1
        if not path.exists():
            raise error("FILE_NOT_FOUND")
        try:
            self.words |= set(json.loads(path.read_text()))
        except ValueError:
            raise error("KV_SNAPSHOT_DAMAGED") from None
        return len(self.words)

    def save_kv(self, path: Path, key: str, limit: int) -> int:
        assert (key, limit) == ("key", 1000)
        self.before_save()
        path.with_name("new").write_text(json.dumps(sorted(self.words)))
        path.with_name("new").replace(path)
        return len(self.words)


def error(reason: str) -> _core.CoreError:
    made = _core.CoreError(reason)
    made.reason, made.message = reason, reason
    return made


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / f"{'0' * 64}.kv"


def loaded(engine: Any, path: Path) -> LocalPrefixes:
    prefixes = LocalPrefixes(engine, KvSnapshots(path.parent, 1000), KvSnapshot(path, "key", ()))
    prefixes.restore()
    return prefixes


def saved(path: Path) -> list[str]:
    found: list[str] = json.loads(path.read_text())
    return found


def test_what_another_has_saved_stays(path: Path) -> None:
    one, two = Engine("one"), Engine("two")
    first, second = loaded(one, path), loaded(two, path)
    first.save()
    second.save()
    assert saved(path) == ["one", "two"]
    assert sorted(file.name for file in path.parent.iterdir()) == [path.name]


def test_what_nobody_has_changed_is_not_read_again(path: Path) -> None:
    path.write_text('["kept"]')
    engine = Engine("one")
    loaded(engine, path).save()
    assert engine.reads == 1
    assert saved(path) == ["kept", "one"]


@pytest.mark.parametrize("becomes", [None, "damaged"])
def test_what_is_gone_or_damaged_by_then_keeps_nothing_from_being_saved(
    path: Path, becomes: str | None
) -> None:
    path.write_text('["kept"]')
    prefixes = loaded(Engine("one"), path)
    path.unlink()
    if becomes is not None:
        path.write_text(becomes)
    prefixes.save()
    assert saved(path) == ["kept", "one"]


def test_two_who_save_at_once_wait_for_each_other(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving, goes_on, waiting = (threading.Event() for _ in range(3))
    one, two = Engine("one"), Engine("two")
    one.before_save = lambda: saving.set() or goes_on.wait(WAIT)

    def wait(_: float) -> None:
        waiting.set()
        assert goes_on.wait(WAIT)

    monkeypatch.setattr(kv_snapshots.time, "sleep", wait)
    monkeypatch.setattr(kv_snapshots, "TURN_SECONDS", WAIT)
    first, second = loaded(one, path), loaded(two, path)
    with ThreadPoolExecutor(2) as threads:
        early = threads.submit(first.save)
        assert saving.wait(WAIT)
        late = threads.submit(second.save)
        late.add_done_callback(lambda _: waiting.set())
        assert waiting.wait(WAIT)
        assert not path.exists()
        goes_on.set()
        early.result(WAIT)
        late.result(WAIT)
    assert saved(path) == ["one", "two"]


def test_who_waits_too_long_saves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(kv_snapshots, "TURN_SECONDS", 0.0)
    prefixes = loaded(Engine("one"), path)
    with prefixes.snapshots.turn(prefixes.snapshot):
        prefixes.save()
    assert not path.exists()
    assert "cached prefixes were not saved: another engine" in caplog.text
