"""Changes of a registry, versions and registry files, through a real service."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration.word_provider import Service
from llm_runner_router.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidRequestError,
    ModelNotFoundError,
    NoCandidateError,
)
from llm_runner_router.registry.records import (
    Alias,
    AliasTarget,
    ChangeKind,
    ModelConfig,
    ModelLimits,
    ModelQuery,
    ModelRecord,
    RegistryChange,
)
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import ModelFormat, Request

SECONDS = 30.0


def model(name: str, **values: Any) -> ModelRecord:
    return ModelRecord(name, "", ModelFormat.GGUF, f"/{name}.gguf", **values)


async def told(changes: AsyncGenerator[RegistryChange, None], count: int) -> list[RegistryChange]:
    async with asyncio.timeout(SECONDS):
        return [await anext(changes) for _ in range(count)]


def brief(change: RegistryChange) -> tuple[ChangeKind, str]:
    return change.kind, change.id


async def test_a_watch_tells_what_there_is_and_then_what_changes(remote: RemoteBackend) -> None:
    there = [view.record.id for view in (await remote.list_models()).models]
    async with aclosing(remote.watch_models()) as changes:
        first = await told(changes, len(there) + 1)
        assert [change.id for change in first] == [*there, ""]
        assert first[-1].kind is ChangeKind.SYNCED
        await remote.register_model(model("new"))
        await remote.update_model(model("new", owner="alice"), ["owner"])
        await remote.set_alias(Alias("fast", (AliasTarget("new"),)))
        (await told(changes, 1),)
        seen: list[RegistryChange] = []
        while not seen or seen[-1].kind is not ChangeKind.ALIAS_SET:
            seen += await told(changes, 1)
        assert seen[-1].alias is not None
        assert seen[-1].alias.targets == (AliasTarget("new"),)
        await remote.delete_alias("fast")
        await remote.unregister_model("new")
        rest = await told(changes, 2)
        assert list(map(brief, rest)) == [
            (ChangeKind.ALIAS_REMOVED, "fast"),
            (ChangeKind.MODEL_REMOVED, "new"),
        ]


async def test_a_watch_goes_on_where_it_was_cut(remote: RemoteBackend) -> None:
    async with aclosing(remote.watch_models()) as changes:
        while (change := (await told(changes, 1))[0]).kind is not ChangeKind.SYNCED:
            assert not change.resume_token
    await remote.register_model(model("one"))
    await remote.register_model(model("two"))
    await remote.unregister_model("one")
    async with aclosing(remote.watch_models(change.resume_token)) as changes:
        missed = await told(changes, 3)
    assert list(map(brief, missed)) == [
        (ChangeKind.MODEL_SET, "two"),
        (ChangeKind.MODEL_REMOVED, "one"),
        (ChangeKind.SYNCED, ""),
    ]
    assert missed[0].model is not None
    assert missed[0].model.record.source == "/two.gguf"
    async with aclosing(remote.watch_models(missed[0].resume_token)) as changes:
        assert list(map(brief, await told(changes, 2))) == [
            (ChangeKind.MODEL_REMOVED, "one"),
            (ChangeKind.SYNCED, ""),
        ]


@pytest.mark.parametrize("token", ["x", "%", "YTox", "OjE="])
async def test_foreign_resume_tokens_are_refused(remote: RemoteBackend, token: str) -> None:
    with pytest.raises(InvalidRequestError, match="resume_token"):
        await anext(remote.watch_models(token))


async def test_a_name_means_its_highest_version_or_its_alias(remote: RemoteBackend) -> None:
    for version in ("1.9", "1.10", "1.2"):
        await remote.register_model(model(f"v@{version}"))
    assert (await remote.get_model("v")).record.id == "v@1.10"
    assert (await remote.route(Request(prompt="x", model="v"))).model == "v@1.10"
    assert (await remote.process(Request(prompt="x", model="v@1.2"))).model_used == "v@1.2"
    moved = await remote.set_alias(Alias("v", (AliasTarget("v@1.9"),)))
    with pytest.raises(ModelNotFoundError):
        await remote.get_model("v")
    assert (await remote.route(Request(prompt="x", model="v"))).model == "v@1.9"
    stale = Alias("v", (AliasTarget("v@1.2"),), etag="stale")
    with pytest.raises(ConflictError, match="changed meanwhile"):
        await remote.set_alias(stale)
    await remote.set_alias(Alias("v", (AliasTarget("v@1.2"),), etag=moved.etag))
    assert (await remote.route(Request(prompt="x", model="v"))).model == "v@1.2"


async def test_lists_are_filtered_and_ordered(remote: RemoteBackend) -> None:
    await remote.register_model(model("a1", owner="alice", tags=("chat",)))
    await remote.register_model(model("b1", owner="bob", tags=("chat", "code")))
    page = await remote.list_models(ModelQuery("tags : chat AND NOT owner = alice"))
    assert [view.record.id for view in page.models] == ["b1"]
    page = await remote.list_models(ModelQuery("tags : chat", "owner desc", 1))
    assert [view.record.id for view in page.models] == ["b1"]
    query = ModelQuery("tags : chat", "owner desc", 1, page.next_page_token)
    page = await remote.list_models(query)
    assert [view.record.id for view in page.models] == ["a1"]
    assert not page.next_page_token
    with pytest.raises(InvalidRequestError, match="filter"):
        await remote.list_models(ModelQuery("colour = red"))


async def test_answers_are_no_longer_than_the_operator_allows(remote: RemoteBackend) -> None:
    await remote.register_model(model("short", limits=ModelLimits(max_tokens=2)))
    answer = await remote.process(Request(prompt="a b c d", model="short"))
    assert answer.metrics.completion_tokens == 2
    with pytest.raises(NoCandidateError, match="limited to 2 tokens, 3 are asked for"):
        await remote.process(Request(prompt="a b c d", model="short", max_tokens=3))


async def test_a_system_message_begins_what_has_none(
    service: Service, remote: RemoteBackend
) -> None:
    await remote.register_model(model("kind", config=ModelConfig(system="Be kind.")))
    await remote.process(Request(prompt="hello", model="kind"))
    seen = service.provider.calls[-1].request
    assert [(m.role, m.content) for m in seen.messages] == [
        ("system", "Be kind."),
        ("user", "hello"),
    ]
    await remote.process(Request(prompt="hello", raw=True, model="kind"))
    assert service.provider.calls[-1].request.prompt == "hello"


DOCUMENT = {
    "version": "1.2.0",
    "models": [
        {"id": "old", "format": "gguf", "source": "/old.gguf", "config": {"x": None}, "team": 3},
        {"id": "hub", "format": "huggingface", "source": "org/model"},
    ],
    "templates": [{"id": "t", "format": "{question}", "extra": [1]}],
    "strategies": {"default": "balanced"},
}


async def test_registry_files_come_in_whole_and_go_out_whole(remote: RemoteBackend) -> None:
    document = json.dumps(DOCUMENT).encode()
    report = await remote.import_registry(document)
    assert report.added == ("model old", "model hub", "template t")
    again = await remote.import_registry(document)
    assert again.unchanged == report.added
    exported = json.loads(await remote.export_registry())
    entries = {entry["id"]: entry for entry in exported["models"]}
    assert entries["old"]["team"] == 3
    assert entries["old"]["config"] == {"x": None}
    assert exported["strategies"] == {"default": "balanced"}
    assert exported["templates"][0]["extra"] == [1]
    decision = await remote.route(Request(prompt="x"))
    assert {"old", "hub"} <= {candidate.model for candidate in decision.candidates}


async def test_an_import_is_all_or_nothing(remote: RemoteBackend) -> None:
    await remote.register_model(model("old", owner="alice"))
    with pytest.raises(AlreadyExistsError, match="old"):
        await remote.import_registry(json.dumps(DOCUMENT).encode())
    assert "hub" not in [view.record.id for view in (await remote.list_models()).models]
    report = await remote.import_registry(json.dumps(DOCUMENT).encode(), replace=True)
    assert report.replaced == ("model old",)
    assert (await remote.get_model("old")).record.owner == ""
    wrong = {**DOCUMENT, "models": [{"id": "n", "format": "gguf", "source": "x", "quality": 2}]}
    with pytest.raises(InvalidRequestError, match=r"models\[0\]\.quality"):
        await remote.import_registry(json.dumps(wrong).encode())


async def test_paths_of_a_file_go_out_as_they_came_in(remote: RemoteBackend) -> None:
    entry = {"id": "near", "format": "gguf", "source": "./models/near.gguf"}
    await remote.import_registry(json.dumps({"version": "1.2.0", "models": [entry]}).encode())
    record = (await remote.get_model("near")).record
    assert Path(record.source).is_absolute()
    assert (await exported_models(remote))["near"]["source"] == "./models/near.gguf"
    moved = replace(record, source="/else/near.gguf")
    await remote.update_model(moved, ["source"])
    assert (await exported_models(remote))["near"]["source"] == "/else/near.gguf"


async def test_what_was_exported_is_there_already(remote: RemoteBackend) -> None:
    await remote.register_model(model("own"))
    await remote.process(Request(prompt="one two three", model="own"))
    assert (await exported_models(remote))["own"]["performance"]["tokensPerSecond"]
    report = await remote.import_registry(await remote.export_registry())
    assert "model own" in report.unchanged
    assert (report.added, report.replaced) == ((), ())


async def exported_models(remote: RemoteBackend) -> dict[str, Any]:
    """The models of an export by their ids."""
    document = json.loads(await remote.export_registry())
    return {entry["id"]: entry for entry in document["models"]}
