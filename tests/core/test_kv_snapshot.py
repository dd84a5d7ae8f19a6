"""Snapshots of cached prefixes: restored ones answer bit for bit as computed ones do."""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from core import snapshot_bytes as sb
from core import tiny_llama
from core.engine_client import Client, client_of
from core.snapshot_client import KEY, answer, client_on, reason_of, saved
from llm_runner_router import _core

LONG = [1 + i % 90 for i in range(512)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.mark.parametrize("kv_type", ["f32", "f16"])
@pytest.mark.parametrize("block_size", [1, 7, 16])
def test_restored_prefixes_answer_as_computed_ones(
    model: Path, tmp_path: Path, kv_type: str, block_size: int
) -> None:
    config = {"kv_type": kv_type, "block_size": block_size, "kv_blocks": 1200 // block_size}
    prompts = [[*LONG[:200], 91], [*LONG[:100], 92, 93], [7] * 50]
    with client_on(model, prefix_cache=False, **config) as client:
        computed = [answer(client, prompt)[1] for prompt in prompts]
    tokens = saved(model, tmp_path / "kv", *prompts, **config)
    with client_on(model, **config) as client:
        assert client.engine.restore_kv(tmp_path / "kv", KEY) == tokens
        for prompt, expected in zip(prompts, computed, strict=True):
            assert answer(client, prompt) == (
                (len(prompt) - 1) // block_size * block_size,
                expected,
            )


def test_a_file_is_as_the_format_says(model: Path, tmp_path: Path) -> None:
    config = {"block_size": 4, "kv_type": "f16"}
    assert (
        saved(model, tmp_path / "kv", [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 2, 3, 4, 5], **config) == 8
    )
    found = sb.parse((tmp_path / "kv").read_bytes())
    assert found.key == KEY.encode()
    assert (found.kind, found.block_size) == (sb.F16, 4)
    assert (found.layers, found.width) == (2, 16)
    assert [(b.parent, b.tokens) for b in found.blocks] == [
        (sb.NO_PARENT, [1, 2, 3, 4]),
        (0, [5, 6, 7, 8]),
    ]
    assert all(any(block.kv) for block in found.blocks)
    assert [path.name for path in tmp_path.iterdir()] == ["kv"]
    assert (tmp_path / "kv").stat().st_mode & 0o777 == 0o600


def test_keys_and_values_come_back_bit_by_bit(model: Path, tmp_path: Path) -> None:
    saved(model, tmp_path / "kv", LONG, [5] * 40)
    with client_on(model) as client:
        client.engine.restore_kv(tmp_path / "kv", KEY)
        client.engine.save_kv(tmp_path / "again", KEY)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "kv").read_bytes()


def test_the_most_recently_used_prefixes_are_kept_where_not_all_fit(
    model: Path, tmp_path: Path
) -> None:
    old, recent = [1] * 161, [2] * 161  # ten blocks each
    saved(model, tmp_path / "kv", old, recent, old[:1] + recent)
    record = 4 + 4 * 16 + 2 * 2 * 2 * 16 * 16 + 8
    with client_on(model, kv_blocks=15) as client:
        assert client.engine.restore_kv(tmp_path / "kv", KEY) == 15 * 16
        assert (
            client.engine.save_kv(tmp_path / "small", KEY, max_bytes=100 + 12 * record) == 12 * 16
        )
        assert (tmp_path / "small").stat().st_size <= 100 + 12 * record
        assert client.engine.save_kv(tmp_path / "none", KEY, max_bytes=record) == 0
        assert not (tmp_path / "none").exists()
    with client_on(model) as client:
        client.engine.restore_kv(tmp_path / "small", KEY)
        assert answer(client, old[:1] + recent)[0] == 160
        assert answer(client, recent)[0] == 2 * 16
        assert answer(client, old)[0] == 0


def test_restored_blocks_give_way_and_evict_nothing(model: Path, tmp_path: Path) -> None:
    saved(model, tmp_path / "kv", [1] * 161)
    with client_on(model, kv_blocks=12) as client:
        client.ask([2] * 65, max_tokens=1)
        assert client.engine.restore_kv(tmp_path / "kv", KEY) == (12 - 4) * 16
        assert client.engine.stats().blocks_held == 0
        assert answer(client, [2] * 65)[0] == 64
        assert answer(client, [3] * 180)[0] == 0  # takes all blocks


def test_a_prefix_that_is_cached_already_is_shared(model: Path, tmp_path: Path) -> None:
    saved(model, tmp_path / "kv", LONG)
    with client_on(model) as client:
        client.ask(LONG, max_tokens=1)
        assert client.engine.restore_kv(tmp_path / "kv", KEY) == 512
        assert client.engine.save_kv(tmp_path / "again", KEY) == 512


def test_running_requests_go_on_as_if_nothing_happened(model: Path, tmp_path: Path) -> None:
    prompts = [[*LONG[: 40 * i], 91] for i in range(6)]
    options = {"max_tokens": 60, "temperature": 0.7, "logprobs": 2, "ignore_eos": True}
    with client_on(model, prefix_cache=False) as client:
        alone = [client.answer(client.ask(p, seed=i, **options)) for i, p in enumerate(prompts)]
    with client_on(model) as client:
        ids = [client.submit(p, seed=i, **options) for i, p in enumerate(prompts)]
        while not client.finished(*ids):
            client.take()
            assert client.engine.save_kv(tmp_path / "kv", KEY) >= 0
            if (tmp_path / "kv").exists():
                assert client.engine.restore_kv(tmp_path / "kv", KEY) >= 0
        assert [client.answer(i) for i in ids] == alone
        assert client.engine.stats().blocks_held == 0


def test_nothing_cached_writes_nothing(model: Path, tmp_path: Path) -> None:
    (tmp_path / "kv").write_bytes(b"old")
    for config in ({}, {"prefix_cache": False}):
        with client_on(model, **config) as client:
            client.ask([1, 2, 3], max_tokens=1)
            assert client.engine.save_kv(tmp_path / "kv", KEY) == 0
    assert (tmp_path / "kv").read_bytes() == b"old"


@pytest.mark.parametrize("key", ["", "k" * 4097])
def test_keys_are_checked(model: Path, tmp_path: Path, key: str) -> None:
    with client_on(model) as client:
        for call in (client.engine.save_kv, client.engine.restore_kv):
            with pytest.raises(_core.CoreError, match="allowed: 1 to 4096") as caught:
                call(tmp_path / "kv", key)
            assert (caught.value.code, reason_of(caught)) == ("INVALID_ARGUMENT", "KV_SNAPSHOT_KEY")


def test_files_that_cannot_be_used(model: Path, tmp_path: Path) -> None:
    with client_on(model) as client:
        client.ask(LONG, max_tokens=1)
        with pytest.raises(_core.CoreError) as caught:
            client.engine.restore_kv(tmp_path / "none", KEY)
        assert reason_of(caught) == "FILE_NOT_FOUND"
        with pytest.raises(_core.CoreError) as caught:
            client.engine.restore_kv(tmp_path, KEY)
        assert reason_of(caught) == "FILE_UNREADABLE"
        with pytest.raises(_core.CoreError) as caught:
            client.engine.save_kv(tmp_path / "no" / "kv", KEY)
        assert reason_of(caught) == "FILE_UNWRITABLE"
        (tmp_path / "folder").mkdir()
        with pytest.raises(_core.CoreError) as caught:
            client.engine.save_kv(tmp_path / "folder", KEY)
        assert reason_of(caught) == "FILE_UNWRITABLE"
        assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_without_a_prefix_cache_nothing_is_restored(model: Path, tmp_path: Path) -> None:
    saved(model, tmp_path / "kv", LONG)
    with client_on(model, prefix_cache=False) as client:
        assert client.engine.restore_kv(tmp_path / "kv", KEY) == 0


def test_a_link_is_replaced_and_not_followed(model: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"kept")
    (tmp_path / "kv").symlink_to(tmp_path / "other")
    saved(model, tmp_path / "kv", LONG)
    assert (tmp_path / "other").read_bytes() == b"kept"
    assert sb.parse((tmp_path / "kv").read_bytes()).key == KEY.encode()


def test_what_lies_where_the_temporary_file_would_is_not_touched(
    model: Path, tmp_path: Path
) -> None:
    taken = tmp_path / f"kv.{os.getpid()}_0.tmp"
    taken.symlink_to(tmp_path / "other")
    saved(model, tmp_path / "kv", LONG)
    assert sb.parse((tmp_path / "kv").read_bytes()).key == KEY.encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kv", taken.name]
    assert taken.is_symlink()


def test_a_closed_engine_says_so(model: Path, tmp_path: Path) -> None:
    with client_on(model) as client:
        client.ask(LONG, max_tokens=1)
        client.engine.close()
        for call in (client.engine.save_kv, client.engine.restore_kv):
            with pytest.raises(_core.CoreError) as caught:
                call(tmp_path / "kv", KEY)
            assert (caught.value.code, reason_of(caught)) == (
                "FAILED_PRECONDITION",
                "ENGINE_CLOSED",
            )


def test_closing_ends_what_is_being_saved(model: Path, tmp_path: Path) -> None:
    """Many savers at once; each is told either its tokens or that the engine was closed."""
    told: list[object] = []

    def save(number: int, client: Client, begun: threading.Barrier) -> None:
        begun.wait()
        for _ in range(50):
            try:
                told.append(client.engine.save_kv(tmp_path / f"kv{number}", KEY))
            except _core.CoreError as error:
                told.append(f"{error.reason}: {error.message}")
                return

    begun = threading.Barrier(5)
    with client_on(model) as client:
        client.ask(LONG, max_tokens=1)
        threads = [threading.Thread(target=save, args=(n, client, begun)) for n in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        client.engine.save_kv(tmp_path / "kv", KEY)
        client.engine.close()
        for thread in threads:
            thread.join()
    interrupted = "ENGINE_CLOSED: the engine was closed before the snapshot was complete"
    assert interrupted in told
    assert set(told) <= {512, interrupted, "ENGINE_CLOSED: the engine is closed"}
    for path in tmp_path.iterdir():
        assert len(sb.parse(path.read_bytes()).blocks) == 32


def test_a_broken_engine_says_why(tmp_path: Path) -> None:
    control = _core.testing.Control()
    engine = _core.testing.hash_engine(control, [b"a", b"b", b"c"], [], data_loss_token=2)
    with client_of(engine) as client:
        with pytest.raises(_core.CoreError) as caught:
            client.engine.save_kv(tmp_path / "kv", KEY)
        assert (caught.value.code, reason_of(caught)) == (
            "UNIMPLEMENTED",
            "KV_SNAPSHOT_UNSUPPORTED",
        )
        client.ask([0, 2], max_tokens=1)
        for call in (client.engine.save_kv, client.engine.restore_kv):
            with pytest.raises(_core.CoreError) as caught:
                call(tmp_path / "kv", KEY)
            assert (caught.value.code, reason_of(caught)) == ("DATA_LOSS", "TRAPPED")


def test_the_identity_names_what_the_numbers_depend_on(model: Path) -> None:
    def identity(**config: Any) -> str:
        with client_on(model, **config) as client:
            return client.engine.kv_identity

    usual = identity()
    assert usual.startswith("f16 16x2x16 threads=1 isa=")
    assert usual == identity(kv_blocks=20, max_sequences=3, batch_tokens=7, context_length=50)
    changes = ({"threads": 2}, {"kv_type": "f32"}, {"block_size": 8}, {"attention": "ggml"})
    assert len({usual, *(identity(**change) for change in changes)}) == 5


def test_snapshots_of_random_conversations_come_back(model: Path, tmp_path: Path) -> None:
    """Branching prefixes, a pool that is too small for them, and several rounds of it."""
    chance = random.Random(11)
    with client_on(model, prefix_cache=False, kv_blocks=60, block_size=4) as plain:
        prompts: list[list[int]] = [[1]]
        for _ in range(6):
            with client_on(model, kv_blocks=60, block_size=4) as client:
                if (tmp_path / "kv").exists():
                    client.engine.restore_kv(tmp_path / "kv", KEY)
                for _ in range(8):
                    known = chance.choice(prompts)
                    prompt = known[: chance.randrange(1, len(known) + 1)]
                    prompt = prompt + [chance.randrange(1, 4) for _ in range(chance.randrange(30))]
                    prompts.append(prompt[:150])
                    assert answer(client, prompt[:150])[1] == answer(plain, prompt[:150])[1]
                client.engine.save_kv(tmp_path / "kv", KEY)
                sb.parse((tmp_path / "kv").read_bytes())
