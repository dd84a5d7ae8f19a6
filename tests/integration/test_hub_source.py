"""Models from a hub that speaks the real one's protocol, through the hub's own library."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import pytest_asyncio

from integration.model_answer import answer_of
from integration.upstreams.faults import cut, drip, reset, status
from integration.upstreams.file_server import header
from integration.upstreams.hub_server import COMMIT, HubServer, Stored
from llm_runner_router.errors import (
    InvalidConfigError,
    OverloadedError,
    SourceError,
    UnavailableError,
)
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources import disk
from llm_runner_router.registry.sources.download import Downloader
from llm_runner_router.registry.sources.hub import HubFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.sources.source import HubSource, parse_source
from unit import tiny_model

REPOSITORY = "org/Tiny-GGUF"
NEW_COMMIT = "d" * 40


def weights(seed: int, size: int = 600_000) -> bytes:
    return b"GGUF" + random.Random(seed).randbytes(size)


MODEL = weights(1)


class Hub:
    """A server, and a fetcher that asks it."""

    def __init__(self, server: HubServer, folder: Path, downloader: Downloader) -> None:
        self.server = server
        self.cache = folder / "cache"
        self.theirs = folder / "theirs"
        self.environment = {"HF_ENDPOINT": server.address, "HF_HUB_CACHE": str(self.theirs)}
        self.fetcher = HubFetcher(downloader, self.cache, self.environment)
        self.pulls = Pulls({"hf": self.fetcher}, self.cache)
        self.told: list[PullProgress] = []

    async def pull(self, source: str = f"hf://{REPOSITORY}") -> Path:
        return (await self.pulls.pull(source, self.told.append)).path

    def find(self, source: str = f"hf://{REPOSITORY}") -> Path | None:
        found = self.fetcher.find(parsed(source))
        return None if found is None else found.path

    @property
    def folder(self) -> Path:
        return self.cache / "huggingface" / "models--org--Tiny-GGUF"


def parsed(source: str) -> HubSource:
    found = parse_source(source)
    assert isinstance(found, HubSource)
    return found


async def no_pause(_: float) -> None:
    pass


@pytest_asyncio.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    pool = HttpPool()
    async with HubServer().running() as server:
        yield Hub(server, tmp_path, Downloader(lambda: pool.aiohttp, pause=no_pause))
    await pool.close()


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


async def test_the_library_of_the_hub_finds_what_was_pulled(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"README.md": Stored(b"hello", git=True), "tiny.gguf": MODEL})
    assert hub.find() is None
    path = await hub.pull()
    assert path.read_bytes() == MODEL
    assert path.name == "tiny.gguf"
    assert hub.find() == path
    blob = hashlib.sha256(MODEL).hexdigest()
    assert everything_below(hub.folder) == {
        f"blobs/{blob}",
        f"trees/{COMMIT}.json",
        f"snapshots/{COMMIT}/tiny.gguf",
        "refs/main",
    }
    assert path.readlink() == Path("..", "..", "blobs", blob)
    folder = hub.cache / "huggingface"
    cached = huggingface_hub.try_to_load_from_cache(REPOSITORY, "tiny.gguf", cache_dir=folder)
    assert cached == str(path)
    again = await downloaded_by_the_library(hub, "tiny.gguf", cache_dir=folder)
    assert again == path
    assert len(hub.server.of_cdn) == 1
    scanned = huggingface_hub.scan_cache_dir(folder)
    assert [repo.repo_id for repo in scanned.repos] == [REPOSITORY]
    assert scanned.warnings == []
    assert scanned.size_on_disk == len(MODEL)


async def test_progress_counts_all_bytes_and_ends(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    await hub.pull()
    assert hub.told[0].phase == "resolving"
    coming = [progress for progress in hub.told if progress.phase == "downloading"]
    assert {progress.file for progress in coming} == {"tiny.gguf"}
    assert {progress.total_bytes for progress in coming} == {len(MODEL)}
    assert [coming[0].done_bytes, coming[-1].done_bytes] == [0, len(MODEL)]
    assert coming[-1].bytes_per_second > 0
    assert hub.told[-1].phase == "done"
    assert hub.told[-1].done_bytes == len(MODEL)


async def test_a_second_pull_asks_for_no_content(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    path = await hub.pull()
    assert await hub.pull() == path
    assert len(hub.server.of_cdn) == 1


async def test_a_new_commit_brings_what_is_new_alone(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"a-Q8_0.gguf": MODEL, "b-Q4_0.gguf": weights(2)})
    old = await hub.pull(f"hf://{REPOSITORY}/Q8_0")
    hub.server.add(REPOSITORY, {"renamed-Q8_0.gguf": MODEL}, NEW_COMMIT)
    new = await hub.pull(f"hf://{REPOSITORY}/Q8_0")
    assert new != old
    assert new.samefile(old)
    assert hub.find() == new
    assert hub.find(f"hf://{REPOSITORY}@{COMMIT}/Q8_0") == old
    assert len(hub.server.of_cdn) == 1


async def test_a_set_comes_whole_and_its_first_file_is_the_model(hub: Hub) -> None:
    names = [f"Q4_K_M/big-Q4_K_M-0000{index}-of-00003.gguf" for index in (1, 2, 3)]
    contents = [weights(index, 200_000 * index) for index in (1, 2, 3)]
    hub.server.add(REPOSITORY, {**dict(zip(names, contents, strict=True)), "o-Q8_0.gguf": MODEL})
    path = await hub.pull(f"hf://{REPOSITORY}:q4_k_m")
    assert path.name == "big-Q4_K_M-00001-of-00003.gguf"
    assert [path.with_name(name.split("/")[1]).read_bytes() for name in names] == contents
    totals = {told.total_bytes for told in hub.told if told.phase == "downloading"}
    assert totals == {sum(map(len, contents))}
    done = [told.done_bytes for told in hub.told if told.phase == "downloading"]
    assert done == sorted(done)
    assert len(hub.server.of_cdn) == 3


async def test_a_set_is_not_found_while_a_file_of_it_is_missing(hub: Hub) -> None:
    names = [f"big-0000{index}-of-00002.gguf" for index in (1, 2)]
    hub.server.add(REPOSITORY, {name: weights(index) for index, name in enumerate(names)})
    path = await hub.pull()
    assert hub.find() == path
    path.with_name(names[1]).unlink()
    assert hub.find() is None


async def test_a_revision_is_asked_for_and_remembered(hub: Hub) -> None:
    repository = hub.server.add(REPOSITORY, {"old.gguf": MODEL})
    repository.revisions["refs/pr/1"] = COMMIT
    hub.server.add(REPOSITORY, {"new.gguf": weights(2)}, NEW_COMMIT)
    source = f"hf://{REPOSITORY}@refs%2Fpr%2F1"
    path = await hub.pull(source)
    assert path.name == "old.gguf"
    assert hub.find(source) == path
    assert hub.find() is None
    assert (hub.folder / "refs" / "refs" / "pr" / "1").read_text() == COMMIT


async def test_a_cut_is_gone_on_behind(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    hub.server.inject(cut(300_000), reset())
    path = await hub.pull()
    assert path.read_bytes() == MODEL
    ranges = [header(seen, "Range") for seen in hub.server.of_cdn]
    assert ranges[0] is None
    assert [text for text in ranges[1:] if text is None] == []
    assert hub.server.served.completed == 1


async def test_what_came_before_a_failure_is_not_asked_for_again(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    hub.server.inject(cut(300_000), *[reset()] * 20)
    with pytest.raises(UnavailableError):
        await hub.pull()
    assert hub.find() is None
    part = next(hub.folder.glob("blobs/*.part"))
    came = part.stat().st_size
    assert came > 0
    hub.server.faults.clear()
    assert (await hub.pull()).read_bytes() == MODEL
    assert header(hub.server.of_cdn[-1], "Range") == f"bytes={came}-"
    assert "verifying" in {told.phase for told in hub.told}


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


async def test_a_file_of_git_has_gits_own_digest(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": Stored(MODEL, git=True)})
    path = await hub.pull()
    assert path.read_bytes() == MODEL
    assert len(path.resolve().name) == 40


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


async def test_what_the_users_cache_has_is_used_where_it_lies(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL, "other-Q8_0.gguf": weights(2)})
    source = f"hf://{REPOSITORY}/tiny.gguf"
    theirs = await downloaded_by_the_library(hub, "tiny.gguf")
    before = everything_below(hub.theirs)
    found = hub.fetcher.find(parsed(source))
    assert found is not None
    assert found.in_place
    assert found.path.samefile(theirs)
    hub.server.seen.clear()
    pulled = await hub.pulls.pull(source, hub.told.append)
    assert pulled.in_place
    assert pulled.path.samefile(theirs)
    assert hub.server.of_cdn == []
    assert everything_below(hub.theirs) == before
    assert not list(hub.folder.glob("blobs/*"))
    assert [told.phase for told in hub.told].count("verifying") > 0


async def test_a_damaged_file_of_the_users_cache_is_not_used(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    theirs = (await downloaded_by_the_library(hub, "tiny.gguf")).resolve()
    theirs.write_bytes(MODEL[:-1] + b"!")
    pulled = await hub.pulls.pull(f"hf://{REPOSITORY}")
    assert pulled.path.read_bytes() == MODEL
    assert not pulled.in_place
    assert theirs.read_bytes() != MODEL


async def downloaded_by_the_library(hub: Hub, name: str, **how: Any) -> Path:
    """A file as the hub's own library lays it into a cache."""
    path = await asyncio.to_thread(
        huggingface_hub.hf_hub_download,
        REPOSITORY,
        name,
        endpoint=hub.server.address,
        **{"cache_dir": hub.theirs, **how},
    )
    return Path(path)


async def test_offline_what_is_here_is_used_and_nobody_asked(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    path = await hub.pull()
    hub.environment["HF_HUB_OFFLINE"] = "1"
    hub.server.seen.clear()
    assert await hub.pull() == path
    with pytest.raises(UnavailableError, match="HF_HUB_OFFLINE"):
        await hub.pull("hf://org/Other")
    assert hub.server.seen == []


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


async def test_two_pulls_of_one_model_share_its_bytes(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny-Q4_K_M.gguf": MODEL})
    gate = asyncio.Semaphore(0)
    hub.server.inject(drip(gate))
    sources = (f"hf://{REPOSITORY}", f"hf://{REPOSITORY}", f"hf://{REPOSITORY}:Q4_K_M")
    running = [asyncio.create_task(hub.pull(source)) for source in sources]
    await hub.server.until(lambda server: server.streaming == 1)
    for _ in range(10):
        gate.release()
    first, *others = await asyncio.gather(*running)
    assert others == [first, first]
    assert len(hub.server.of_cdn) == 1


async def test_two_models_of_one_repository_come_at_once(hub: Hub) -> None:
    models = {f"m-{tag}.gguf": weights(index) for index, tag in enumerate(("Q4_0", "Q5_0", "Q8_0"))}
    hub.server.add(REPOSITORY, dict(models))
    paths = await asyncio.gather(*(hub.pull(f"hf://{REPOSITORY}/{name}") for name in models))
    assert [path.read_bytes() for path in paths] == list(models.values())


async def test_cancelling_ends_the_download_and_keeps_what_came(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    gate = asyncio.Semaphore(1)
    hub.server.inject(drip(gate))
    pulling = asyncio.create_task(hub.pull())
    await hub.server.until(lambda server: server.served.completion_tokens == 1)
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    await hub.server.until(lambda server: server.streaming == 0)
    assert hub.server.left == 1
    assert hub.find() is None
    assert (await hub.pull()).read_bytes() == MODEL


async def test_a_hub_that_takes_its_time_does_not_hold_who_gives_up(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    hub.server.gate = asyncio.Event()
    pulling = asyncio.create_task(hub.pull())
    await hub.server.until(lambda server: server.seen != [])
    pulling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pulling
    assert not hub.cache.exists()
    hub.server.gate.set()
    assert (await hub.pull()).read_bytes() == MODEL


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
    with pytest.raises(SourceError, match=r"hf://org/Tiny-GGUF: 'tiny.gguf': .*403"):
        await hub.pull()


async def test_a_pulled_model_answers(hub: Hub, tmp_path: Path) -> None:
    content = tiny_model.write(tmp_path / "tiny.gguf").read_bytes()
    hub.server.add(REPOSITORY, {"tiny.gguf": content})
    pulled = await hub.pulls.pull(f"hf://{REPOSITORY}")
    answer = await answer_of(pulled, tmp_path)
    assert answer.metrics.completion_tokens == 5


async def test_nothing_is_told_of_this_machine(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    await hub.pull()
    for seen in hub.server.seen:
        agent = header(seen, "User-Agent")
        assert agent is not None
        assert agent.startswith("llm-runner-router/")
        assert "python" not in agent
