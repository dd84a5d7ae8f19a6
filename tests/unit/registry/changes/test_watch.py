"""Changes that nobody remembers, and registries that close. The rest is shown by a service."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest

from llm_runner_router.errors import InvalidRequestError, ResumeTokenError, UnavailableError
from llm_runner_router.registry.changes import log as change_log
from llm_runner_router.registry.changes.log import StoredChange
from llm_runner_router.registry.changes.watch import Watch
from llm_runner_router.registry.records import ChangeKind, ModelView
from llm_runner_router.registry.store import RegistryStore
from unit.echoes import model


async def synced(watch: Watch) -> str:
    async with aclosing(watch.changes("")) as changes:
        async for change in changes:
            if change.kind is ChangeKind.SYNCED:
                return change.resume_token
    raise AssertionError


async def test_a_token_expires_with_what_it_stands_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(change_log, "REMEMBERED", 5)
    store = await RegistryStore.open(None)
    watch = Watch(store, ModelView)
    await store.add(model("m"))
    token = await synced(watch)
    for owner in "abcdefg":
        await store.update("m", lambda record, owner=owner: replace(record, owner=owner), "")
    async with aclosing(watch.changes(token)) as changes:
        with pytest.raises(ResumeTokenError, match="begin anew"):
            await anext(changes)
    assert await synced(watch) != token
    await store.close()


async def test_a_token_of_a_change_that_the_database_has_lost_expires() -> None:
    store = await RegistryStore.open(None)
    watch = Watch(store, ModelView)
    await store.add(model("m"))
    async with aclosing(watch.changes("")) as changes:
        while (change := await anext(changes)).kind is not ChangeKind.SYNCED:
            pass
        lost = StoredChange(1, "model", "other", store.position.written + 1.0)
        store._journal.log.reset([lost])
        for told in (changes, watch.changes(change.resume_token)):
            with pytest.raises(ResumeTokenError, match="begin anew"):
                await anext(told)
    await store.close()


async def test_a_token_of_another_registry_is_refused() -> None:
    first, second = await RegistryStore.open(None), await RegistryStore.open(None)
    token = await synced(Watch(first, ModelView))
    with pytest.raises(InvalidRequestError, match="resume_token"):
        await anext(Watch(second, ModelView).changes(token))
    await first.close()
    await second.close()


async def test_a_watch_ends_when_the_registry_closes() -> None:
    store = await RegistryStore.open(None)
    changes = Watch(store, ModelView).changes("")
    assert (await anext(changes)).kind is ChangeKind.SYNCED
    waiting = asyncio.ensure_future(anext(changes))
    await asyncio.sleep(0)
    await store.close()
    with pytest.raises(UnavailableError):
        await waiting


async def test_what_changes_while_everything_is_told_comes_behind_it() -> None:
    store = await RegistryStore.open(None)
    await store.add(model("a"))
    await store.add(model("b"))
    async with aclosing(Watch(store, ModelView).changes("")) as changes, asyncio.timeout(30):
        assert (await anext(changes)).id == "a"
        await store.update("a", lambda record: replace(record, owner="alice"), "")
        rest = [await anext(changes) for _ in range(3)]
    assert [(change.kind, change.id) for change in rest] == [
        (ChangeKind.MODEL_SET, "b"),
        (ChangeKind.SYNCED, ""),
        (ChangeKind.MODEL_SET, "a"),
    ]
    assert rest[-1].model is not None
    assert rest[-1].model.record.owner == "alice"
    await store.close()
