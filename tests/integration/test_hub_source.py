"""Models from a hub that speaks the real one's protocol, through the hub's own library."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import pytest_asyncio

from integration.hub_client import (
    MODEL,
    NEW_COMMIT,
    REPOSITORY,
    Hub,
    everything_below,
    parsed,
    running_hub,
    weights,
)
from integration.model_answer import answer_of
from integration.upstreams.faults import cut, drip, reset
from integration.upstreams.file_server import header
from integration.upstreams.hub_server import COMMIT, Stored
from llm_runner_router.errors import SourceError, UnavailableError
from unit import tiny_model


@pytest_asyncio.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    async with running_hub(tmp_path) as hub:
        yield hub


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


async def test_a_file_of_git_has_gits_own_digest(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": Stored(MODEL, git=True)})
    path = await hub.pull()
    assert path.read_bytes() == MODEL
    assert len(path.resolve().name) == 40


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


async def test_offline_what_others_have_brought_is_verified(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    theirs = await downloaded_by_the_library(hub, "tiny.gguf")
    hub.environment["HF_HUB_OFFLINE"] = "1"
    pulled = await hub.pulls.pull(f"hf://{REPOSITORY}", hub.told.append)
    assert pulled.in_place
    assert pulled.path.samefile(theirs)
    assert pulled.notes == ()
    assert [told.done_bytes for told in hub.told if told.phase == "verifying"][-1] == len(MODEL)
    theirs.resolve().write_bytes(MODEL[:-1] + b"!")
    with pytest.raises(SourceError, match=r"hf://org/Tiny-GGUF: 'tiny.gguf' .*was expected"):
        await hub.pull()


async def test_offline_a_link_to_what_others_have_is_verified(hub: Hub) -> None:
    hub.server.add(REPOSITORY, {"tiny.gguf": MODEL})
    theirs = await downloaded_by_the_library(hub, "tiny.gguf")
    assert (await hub.pull()).is_relative_to(hub.folder)
    hub.environment["HF_HUB_OFFLINE"] = "1"
    theirs.resolve().write_bytes(MODEL[:-1] + b"!")
    with pytest.raises(SourceError, match="was expected"):
        await hub.pull()


async def test_offline_a_file_without_a_digest_is_told_of(hub: Hub) -> None:
    snapshot = hub.theirs / "models--org--Tiny-GGUF" / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (snapshot / "tiny.gguf").write_bytes(MODEL)
    hub.environment["HF_HUB_OFFLINE"] = "1"
    pulled = await hub.pulls.pull(f"hf://{REPOSITORY}@{COMMIT}")
    assert pulled.path == snapshot / "tiny.gguf"
    assert [note.partition(":")[0] for note in pulled.notes] == ["'tiny.gguf' is not verified"]


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


async def test_a_pulled_model_answers(hub: Hub, tmp_path: Path) -> None:
    content = tiny_model.write(tmp_path / "tiny.gguf").read_bytes()
    hub.server.add(REPOSITORY, {"tiny.gguf": content})
    pulled = await hub.pulls.pull(f"hf://{REPOSITORY}")
    answer = await answer_of(pulled, tmp_path)
    assert answer.metrics.completion_tokens == 5
