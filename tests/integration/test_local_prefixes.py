"""What a model has cached outlives its time in memory, and never another model's."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.random_adapter import Parameters, RandomAdapter
from llm_runner_router import _core
from llm_runner_router.config.tree import EngineConfig, KvType
from llm_runner_router.providers import local
from llm_runner_router.providers.base import Call, Delta, Finished
from llm_runner_router.providers.kv_snapshots import KvSnapshots
from llm_runner_router.providers.local import LocalProvider
from llm_runner_router.providers.local_model import LocalOptions
from llm_runner_router.providers.local_service import LocalService
from llm_runner_router.registry.records import LoadProgress
from llm_runner_router.types import Request
from unit import tiny_model

PROMPT = "a prompt that is known by now, " * 4
ENGINE = EngineConfig(threads=1, kv_type=KvType.F32)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture
def options(tiny: Path, tmp_path: Path) -> LocalOptions:
    path = shutil.copyfile(tiny, tmp_path / "model.gguf")
    return LocalOptions(path, LocalService(ENGINE, 0, KvSnapshots(tmp_path / "kv", 1 << 20)), 4)


def with_snapshots(options: LocalOptions, snapshots: KvSnapshots | None) -> LocalOptions:
    return replace(options, service=replace(options.service, snapshots=snapshots))


def without(options: LocalOptions) -> LocalOptions:
    return with_snapshots(options, None)


def files_in(options: LocalOptions) -> list[Path]:
    return sorted(options.path.parent.glob("kv/*.kv*"))


async def load(options: LocalOptions) -> LocalProvider:
    return await LocalProvider.load(options, lambda _: None)


async def ask(provider: LocalProvider, prompt: str = PROMPT) -> tuple[int, list[Any]]:
    """How many tokens of the prompt were cached, and the answer with its log-probabilities."""
    request = Request(prompt=prompt, raw=True, max_tokens=8, seed=3, logprobs=2, ignore_eos=True)
    answer: list[Any] = []
    cached = -1
    async for event in provider.generate(Call("id", request)):
        if isinstance(event, Delta):
            answer += [(t, lp) for t, lp in zip(event.token_ids, event.logprobs, strict=True)]
        if isinstance(event, Finished):
            cached = event.metrics.cached_tokens
    return cached, answer


async def ask_once(options: LocalOptions, prompt: str = PROMPT) -> tuple[int, list[Any]]:
    """Load a model, ask it one thing and take it out of memory."""
    provider = await load(options)
    try:
        return await ask(provider, prompt)
    finally:
        await provider.close()


async def test_the_first_request_after_a_load_finds_its_prefix(options: LocalOptions) -> None:
    cached, computed = await ask_once(options)
    assert cached == 0
    again, restored = await ask_once(options)
    assert again == (len(PROMPT) - 1) // 16 * 16
    assert restored == computed
    assert len(files_in(options)) == 1


async def test_without_snapshots_nothing_is_kept(options: LocalOptions) -> None:
    plain = without(options)
    await ask_once(plain)
    assert (await ask_once(plain))[0] == 0
    assert not (options.path.parent / "kv").exists()


async def test_a_renamed_model_finds_its_prefixes(options: LocalOptions) -> None:
    await ask_once(options)
    renamed = replace(options, path=options.path.rename(options.path.with_name("other.gguf")))
    assert (await ask_once(renamed))[0] > 0


PROMPTS = [f"a prompt of {name} alone, " * 4 for name in ("one", "two")]


def copies(options: LocalOptions) -> list[LocalOptions]:
    """Two models of one content."""
    path = shutil.copyfile(options.path, options.path.with_name("copy.gguf"))
    return [options, replace(options, path=path)]


async def known(options: LocalOptions) -> list[bool]:
    """Which of PROMPTS a model finds once it is loaded anew; nothing is saved of that."""
    provider = await load(options)
    provider._prefixes = None
    found = [(await ask(provider, prompt))[0] > 0 for prompt in PROMPTS]
    await provider.close()
    return found


async def test_models_of_one_content_keep_the_prefixes_of_each_other(options: LocalOptions) -> None:
    models = copies(options)
    providers = [await load(model) for model in models]
    for provider, prompt in zip(providers, PROMPTS, strict=True):
        await ask(provider, prompt)
    for provider in providers:
        await provider.close()
    assert [await known(model) for model in models] == [[True, True]] * 2
    assert len(files_in(options)) == 1


async def test_models_of_one_content_may_leave_memory_at_once(options: LocalOptions) -> None:
    providers = [await load(model) for model in copies(options)]
    for provider, prompt in zip(providers, PROMPTS, strict=True):
        await ask(provider, prompt)
    await asyncio.gather(*(provider.close() for provider in providers))
    assert await known(options) == [True, True]
    assert len(files_in(options)) == 1


async def test_an_adapted_model_is_not_served_the_prefixes_of_others(
    options: LocalOptions, tmp_path: Path
) -> None:
    answers = [await ask_once(options)]
    model = Parameters("llama", tiny_model.weights(1, 1))
    for seed, scale in ((1, 1.0), (1, -1.0), (2, -1.0)):
        adapter = RandomAdapter(model, maps=["blk.0.attn_q.weight"], alpha=64.0, seed=seed)
        path = adapter.write(tmp_path / "adapter.gguf")
        adapted = replace(options, adapters=((path, scale),))
        answers.append(await ask_once(adapted))
        assert (await ask_once(adapted))[0] > 0
    assert [cached for cached, _ in answers] == [0, 0, 0, 0]
    assert len({str(answer) for _, answer in answers}) == 4


async def test_a_changed_model_is_not_served_the_old_prefixes(options: LocalOptions) -> None:
    await ask_once(options)
    found = options.path.stat()
    tiny_model.write(options.path, seed=2)
    os.utime(options.path, ns=(found.st_mtime_ns, found.st_mtime_ns))
    assert options.path.stat().st_size == found.st_size
    cached, answer = await ask_once(options)
    assert cached == 0
    assert answer == (await ask_once(without(options)))[1]
    assert len(files_in(options)) == 2


@pytest.mark.parametrize(
    "change",
    [{"kv_type": KvType.F16}, {"block_size": 8}],
)
async def test_other_settings_are_not_served_the_old_prefixes(
    options: LocalOptions, change: dict[str, Any]
) -> None:
    await ask_once(options)
    service = replace(options.service, engine=ENGINE.model_copy(update=change))
    other = replace(options, service=service)
    assert (await ask_once(other))[0] == 0
    assert (await ask_once(other))[0] > 0
    assert (await ask_once(options))[0] > 0


async def test_every_shard_of_a_set_counts(options: LocalOptions, tmp_path: Path) -> None:
    for seed in (1, 2):
        (tmp_path / str(seed)).mkdir()
        tiny_model.write(tmp_path / str(seed) / "set.gguf", seed=seed, shard_tensors=8)
    first, second, _ = sorted((tmp_path / "1").iterdir())
    whole = replace(options, path=first)
    await ask_once(whole)
    assert (await ask_once(whole))[0] > 0
    (tmp_path / "2" / second.name).replace(second)
    cached, answer = await ask_once(whole)
    assert cached == 0
    assert answer == (await ask_once(without(whole)))[1]


async def test_a_single_file_may_be_named_as_a_shard_is(options: LocalOptions) -> None:
    path = options.path.rename(options.path.with_name("x-00001-of-00003.gguf"))
    named = replace(options, path=path)
    await ask_once(named)
    assert (await ask_once(named))[0] > 0


async def test_a_model_that_was_changed_in_memory_is_not_saved(options: LocalOptions) -> None:
    provider = await load(options)
    await ask(provider)
    tiny_model.write(options.path.with_name("new.gguf"), seed=2).rename(options.path)
    await provider.close()
    assert not files_in(options)
    assert (await ask_once(options))[0] == 0


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "folder", "foreign"])
async def test_a_damaged_snapshot_is_deleted_and_ignored(
    options: LocalOptions, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    computed = (await ask_once(options))[1]
    (path,) = files_in(options)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    contents = {"cut": data[:-9], "flipped": data, "empty": b"", "foreign": b"GGUF" * 100}
    path.unlink()
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes(contents[damage])
    provider = await load(options)
    assert "is discarded" in caplog.text
    assert path.exists() == (damage == "folder")
    assert (await ask(provider))[1] == computed
    await provider.close()


async def test_nothing_cached_leaves_the_snapshot(options: LocalOptions) -> None:
    provider = await load(options)
    await provider.close()
    await provider.close()
    assert not files_in(options)
    await ask_once(options)
    (path,) = files_in(options)
    before = path.read_bytes()
    provider = await load(options)
    await provider.close()
    assert path.read_bytes() == before
    assert (await ask_once(options))[0] > 0


async def test_the_limit_holds_for_one_model_and_for_all(options: LocalOptions) -> None:
    record = 4 + 4 * 16 + 2 * 4 * 2 * 64 * 16 + 8
    limited = with_snapshots(options, KvSnapshots(options.path.parent / "kv", 4 * record))
    await ask_once(limited)
    (first,) = files_in(options)
    assert 3 * record < first.stat().st_size <= 4 * record
    assert (await ask_once(limited))[0] == 3 * 16
    other = replace(limited, path=tiny_model.write(options.path.with_name("b.gguf"), seed=2))
    await ask_once(other)
    (second,) = files_in(options)
    assert second != first


async def test_a_folder_that_cannot_be_used_fails_nothing(
    options: LocalOptions, caplog: pytest.LogCaptureFixture
) -> None:
    (options.path.parent / "kv").write_bytes(b"taken")
    assert (await ask_once(options))[0] == 0
    assert "cached prefixes are not kept" in caplog.text


async def test_a_folder_that_goes_away_fails_nothing(
    options: LocalOptions, caplog: pytest.LogCaptureFixture
) -> None:
    provider = await load(options)
    await ask(provider)
    shutil.rmtree(options.path.parent / "kv")
    await provider.close()
    assert "cached prefixes were not saved" in caplog.text


class HangingPrefixes:
    """Prefixes that are saved until somebody ends it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended = threading.Event()

    def save(self) -> None:
        self.begun.set()
        assert self.ended.wait(30)


async def test_a_save_that_hangs_delays_nothing_for_long(
    options: LocalOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "SAVE_SECONDS", 0.01)
    provider = await load(options)
    provider._prefixes = prefixes = HangingPrefixes()  # type: ignore[assignment]
    await provider.close()
    assert not prefixes.ended.is_set()
    prefixes.ended.set()
    with pytest.raises(_core.CoreError, match="the engine is closed"):
        provider._engine.submit(_core.Submission(tokens=[1]))


async def test_a_close_that_is_given_up_closes_the_engine(options: LocalOptions) -> None:
    provider = await load(options)
    provider._prefixes = prefixes = HangingPrefixes()  # type: ignore[assignment]
    closing = asyncio.ensure_future(provider.close())
    await asyncio.to_thread(prefixes.begun.wait, 30)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    prefixes.ended.set()
    with pytest.raises(_core.CoreError, match="the engine is closed"):
        provider._engine.submit(_core.Submission(tokens=[1]))


async def test_a_load_that_is_given_up_while_a_file_is_read(options: LocalOptions) -> None:
    """The digest of the model is the last thing that a load may take long for."""
    phases: list[str] = []

    def report(progress: LoadProgress) -> None:
        phases.append(progress.phase)

    provider = await LocalProvider.load(options, report)
    await provider.close()
    assert phases[-1] == "prefixes"
    stopped = local.load_model(options, lambda phase, _: phase != "prefixes")
    stopped.engine.close()
    assert stopped.prefixes is None


def test_files_are_mapped_by_the_engine_alone(options: LocalOptions) -> None:
    """How many a process may map is bounded, and large models are in many."""
    mapped: list[int] = []

    def report(phase: str, fraction: float) -> bool:
        del phase, fraction
        lines = Path("/proc/self/maps").read_text().splitlines()
        mapped.append(sum(line.endswith(str(options.path)) for line in lines))
        return True

    local.load_model(without(options), report).engine.close()
    assert mapped[0] == 0
    assert max(mapped) == 1


async def test_what_a_killed_process_left_is_removed(options: LocalOptions) -> None:
    await ask_once(options)
    (path,) = files_in(options)
    left = path.with_name(path.name + ".aBcDeF.tmp")
    left.write_bytes(b"half")
    assert (await ask_once(options))[0] > 0
    assert not left.exists()
