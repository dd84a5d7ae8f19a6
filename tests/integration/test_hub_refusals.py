"""Hubs that refuse, fail and lie, and what is said of it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.hub_client import (
    MODEL,
    REPOSITORY,
    Hub,
    everything_below,
    running_hub,
    weights,
)
from integration.upstreams.faults import status
from integration.upstreams.file_server import header
from integration.upstreams.hub_server import COMMIT, Stored
from llm_runner_router.errors import (
    InvalidConfigError,
    OverloadedError,
    SourceError,
    UnavailableError,
)
from llm_runner_router.registry.sources import disk


@pytest_asyncio.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    async with running_hub(tmp_path) as hub:
        yield hub


async def test_a_wrong_digest_leaves_nothing(hub: Hub) -> None:
    lie = "a" * 64
    hub.server.add(REPOSITORY, {"tiny.gguf": Stored(MODEL, listed_sha256=lie)})
    with pytest.raises(SourceError) as caught:
        await hub.pull()
    assert hashlib.sha256(MODEL).hexdigest() in caught.value.message
    assert lie in caught.value.message
    assert "tiny.gguf" in caught.value.message
    assert everything_below(hub.folder) == set()
    assert hub.find() is None


async def test_a_file_of_git_with_another_content_is_refused(hub: Hub) -> None:
    stored = Stored(MODEL, git=True)
    hub.server.add(REPOSITORY, {"tiny.gguf": stored})
    listed = stored.sibling("tiny.gguf")
    other = weights(2)
    assert len(other) == len(MODEL)
    stored.content = other
    answer = {"id": REPOSITORY, "sha": COMMIT, "siblings": [listed]}
    hub.server.answer_once(f"/api/models/{REPOSITORY}", answer)
    with pytest.raises(SourceError, match=r"the hub lists .* but has"):
        await hub.pull()
    assert hub.find() is None


async def test_a_token_goes_to_the_hub_and_not_to_its_cdn(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL}, token="hf_right")
    with pytest.raises(SourceError, match=r"does not exist, or is private.*HF_TOKEN"):
        await hub.pull()
    hub.server.seen.clear()
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    await hub.pull()
    sent = {"cdn" in seen.path: header(seen, "Authorization") for seen in hub.server.seen}
    assert sent == {False: "Bearer hf_right", True: None}


async def test_a_gated_repository_says_what_to_do(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL}, gated=True)
    with pytest.raises(SourceError) as caught:
        await hub.pull()
    assert "is gated" in caught.value.message
    assert f"{hub.server.address}/{REPOSITORY}" in caught.value.message
    assert "HF_TOKEN" in caught.value.message
    assert not hub.folder.exists()
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert (await hub.pull()).read_bytes() == MODEL


async def test_a_wrong_token_is_never_shown(
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    secret = "hf_verysecret"
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    monkeypatch.setenv("HF_TOKEN", secret)
    with caplog.at_level("DEBUG"), pytest.raises(SourceError) as caught:
        await hub.pull()
    assert "HF_TOKEN" in caught.value.message
    shown = f"{caught.value.message}{caught.value!r}{caplog.text}{capfd.readouterr()}"
    assert secret not in shown
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("hf://org/Nothing", "does not exist, or is private"),
        (f"hf://{REPOSITORY}@nothing", "has no revision 'nothing'"),
        (f"hf://{REPOSITORY}/nothing.gguf", "no such model; there are: .*tiny.gguf"),
        (f"hf://{REPOSITORY}:Q2_K", "no such model; there are: .*tiny.gguf"),
    ],
)
async def test_what_is_not_there_is_said(hub: Hub, source: str, message: str) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    with pytest.raises(SourceError, match=message):
        await hub.pull(source)
    assert not hub.cache.exists()


@pytest.mark.parametrize("code", [429, 500, 503])
async def test_a_hub_in_trouble_may_be_asked_again(hub: Hub, code: int) -> None:
    hub.server.statuses[f"/api/models/{REPOSITORY}"] = code
    with pytest.raises(UnavailableError, match=str(code)):
        await hub.pull()


async def test_a_hub_that_is_away_may_be_asked_again(hub: Hub) -> None:
    await hub.server.refuse()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        await hub.pull()


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": "x", "siblings": [{}]}'])
async def test_what_is_no_hub_is_said(hub: Hub, body: bytes) -> None:
    hub.server.bodies[f"/api/models/{REPOSITORY}"] = body
    with pytest.raises(SourceError):
        await hub.pull()


async def test_a_disabled_repository_is_said(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL}, disabled=True)
    with pytest.raises(SourceError, match="disabled"):
        await hub.pull()


async def test_hostile_names_of_files_are_no_models(hub: Hub) -> None:
    names = ("../../escape.gguf", "/etc/escape.gguf", "a/../../escape.gguf", "a\\escape.gguf")
    hub.server.add(REPOSITORY, dict.fromkeys(names, MODEL))
    with pytest.raises(SourceError, match="no GGUF file"):
        await hub.pull()
    assert not hub.cache.exists()


async def test_hostile_commits_and_digests_are_refused(hub: Hub) -> None:
    path = f"/api/models/{REPOSITORY}"
    sibling = Stored(MODEL).sibling("tiny.gguf")
    hub.server.answer_once(path, {"id": "x", "sha": "../../up", "siblings": [sibling]})
    with pytest.raises(SourceError, match="no commit"):
        await hub.pull()
    sibling["lfs"]["sha256"] = "../../../../escape"
    hub.server.answer_once(path, {"id": "x", "sha": COMMIT, "siblings": [sibling]})
    with pytest.raises(SourceError, match="no GGUF file"):
        await hub.pull()
    assert not hub.cache.exists()


async def test_what_is_no_gguf_file_is_refused(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": b"<html>log in</html>"})
    with pytest.raises(SourceError, match="no GGUF file"):
        await hub.pull()
    assert everything_below(hub.folder) == set()


async def test_a_full_disk_is_told_before_anything_comes(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    monkeypatch.setattr(disk, "MARGIN", 2**60)
    with pytest.raises(OverloadedError) as caught:
        await hub.pull()
    assert caught.value.reason == "DISK_FULL"
    assert hub.server.of_cdn == []


async def test_an_endpoint_that_is_no_address_is_refused_unseen(hub: Hub) -> None:
    hub.environment["HF_ENDPOINT"] = "https://me:secret@hub"
    with pytest.raises(InvalidConfigError) as caught:
        await hub.pull()
    assert "secret" not in caught.value.message


async def test_a_refused_content_is_said_with_its_name(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    hub.server.inject(status(403))
    told = r"hf://org/Tiny-GGUF: 'tiny.gguf': tiny.gguf of 127\.0\.0\.1: .*403"
    with pytest.raises(SourceError, match=told):
        await hub.pull()


async def test_nothing_is_told_of_this_machine(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    await hub.pull()
    for seen in hub.server.seen:
        agent = header(seen, "User-Agent")
        assert agent is not None
        assert agent.startswith("llm-runner-router/")
        assert "python" not in agent
