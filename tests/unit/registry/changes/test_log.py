from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.changes import log as change_log
from llm_runner_router.registry.changes.log import ChangeLog, Kind, Position, StoredChange
from unit.echoes import settle


def change(sequence: int, name: str = "m", kind: Kind = "model") -> StoredChange:
    return StoredChange(sequence, kind, name, float(sequence))


def at(sequence: int) -> Position:
    """Where somebody stands who has seen that change."""
    return Position(sequence, float(sequence))


def test_what_changed_since() -> None:
    log = ChangeLog([change(1, "a"), change(2, "b")])
    log.append([change(3, "a"), change(4, "a", "alias"), change(5, "t", "template")])
    log.append([change(6, kind="registry", name="")])
    assert log.sequence == 6
    assert log.since(at(0)) == [change(2, "b"), change(3, "a"), change(4, "a", "alias")]
    assert log.since(at(3)) == [change(4, "a", "alias")]
    assert log.since(at(4)) == log.since(at(6)) == []
    assert log.since(at(7)) is None
    assert log.since(at(-1)) is None


def test_what_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "REMEMBERED", 3)
    log = ChangeLog([change(8), change(9)])
    assert log.since(at(6)) is log.since(at(7)) is None  # nobody knows which change 7 was
    assert log.since(at(8)) == [change(9)]
    log.append([change(10), change(11)])
    assert log.since(at(8)) is None
    assert log.since(at(9)) == [change(11)]
    log.reset([])
    assert (log.sequence, log.since(at(0)), log.since(at(8))) == (0, [], None)


async def test_who_has_seen_what_was_lost_is_woken_and_looks_at_everything() -> None:
    log = ChangeLog([change(1), change(2)])
    waiting = asyncio.ensure_future(log.changed(at(2)))
    await settle()
    log.reset([change(1), replace(change(2, "other"), written=7.0)])
    await waiting
    assert log.since(at(2)) is None
    assert log.since(at(1)) == [change(2, "other")]
    assert log.since(Position(2, 7.0)) == []


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["model", "alias", "template"]))),
    st.integers(0, 30),
)
def test_who_follows_the_log_misses_nothing(steps: list[tuple[str, Kind]], since: int) -> None:
    changes = [change(number, name, kind) for number, (name, kind) in enumerate(steps, 1)]
    found = ChangeLog(changes).since(at(since))
    if since > len(changes):
        assert found is None
        return
    told = [step for step in changes[since:] if step.kind != "template"]
    newest = {(step.kind, step.id): step.sequence for step in told}
    assert found == sorted(set(told) & set(found or []), key=lambda step: step.sequence)
    assert {(step.kind, step.id): step.sequence for step in found} == newest


async def test_all_who_wait_are_woken() -> None:
    log = ChangeLog([change(1)])
    await log.changed(at(0))
    await log.changed(at(2))  # which will show as one from the future
    waiting = [asyncio.ensure_future(log.changed(at(1))) for _ in range(3)]
    await settle()
    assert not any(task.done() for task in waiting)
    log.append([change(2)])
    await asyncio.gather(*waiting)
    again = asyncio.ensure_future(log.changed(at(2)))
    await settle()
    assert not again.done()
    log.reset([change(1)])
    await again


async def test_who_waits_is_sent_away_in_the_end() -> None:
    log = ChangeLog([])
    waiting = [asyncio.ensure_future(log.changed(at(0))) for _ in range(2)]
    await settle()
    log.close()
    for task in waiting:
        with pytest.raises(UnavailableError, match="closed"):
            await task
    with pytest.raises(UnavailableError):
        await log.changed(at(5))
