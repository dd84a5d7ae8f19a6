"""Snapshots of cached prefixes: restored ones answer bit for bit as computed ones do."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import snapshot_bytes as sb
from core import tiny_llama
from core.engine_client import Client, client_of
from llm_runner_router import _core

TOKENS = [f" {i}".encode() for i in range(tiny_llama.VOCABULARY)]
KEY = "a model and its settings"
LONG = [1 + i % 90 for i in range(512)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write(tmp_path_factory.mktemp("model") / "tiny.gguf")


@contextmanager
def client_on(path: Path, **config: Any) -> Iterator[Client]:
    settings = {"threads": 1, "max_undelivered": 1 << 20, "kv_blocks": 80, **config}
    engine = _core.Engine(_core.EngineConfig(model_path=str(path), **settings), TOKENS, [0])
    with client_of(engine) as client:
        yield client


def answer(client: Client, prompt: list[int]) -> tuple[int, tuple[object, ...]]:
    """How many tokens of the prompt were cached, and everything about the answer."""
    asked = client.ask(prompt, max_tokens=6, temperature=0.0, logprobs=4)
    return client.last(asked).cached_tokens, client.answer(asked)


def saved(model: Path, path: Path, *prompts: list[int], **config: Any) -> int:
    with client_on(model, **config) as client:
        for prompt in prompts:
            client.ask(prompt, max_tokens=1)
        return client.engine.save_kv(path, KEY)


def reason_of(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.reason)


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


def test_every_flipped_and_every_missing_byte_is_noticed(model: Path, tmp_path: Path) -> None:
    """In one engine: what was restored before the damage is right, and the answer stays."""
    path = tmp_path / "kv"
    config = {"block_size": 2}
    prompt = [1, 2, 3, 4, 5, 6, 7]
    saved(model, path, prompt, **config)
    whole = path.read_bytes()
    with client_on(model, **config) as client:
        computed = answer(client, prompt)[1]
    with client_on(model, **config) as client:
        for at in range(len(whole)):
            flipped = whole[at] ^ 1 << at % 8
            for damaged in (bytes([flipped]) + whole[at + 1 :], b""):
                with path.open("r+b") as file:
                    file.seek(at)
                    file.write(damaged)
                    file.truncate()
                with pytest.raises(_core.CoreError) as caught:
                    client.engine.restore_kv(path, KEY)
                assert reason_of(caught) in {
                    DAMAGED,
                    MISMATCH,  # the version's own bytes
                    "FILE_UNREADABLE",  # no byte at all
                }
            with path.open("r+b") as file:
                file.seek(at)
                file.write(whole[at:])
        assert client.engine.stats().blocks_held == 0
        # The last block was never whole; the others were, when the damage was behind them.
        assert answer(client, prompt) == (4, computed)


@pytest.mark.parametrize("place", range(0, 1000, 90))
def test_damage_in_a_fresh_engine_gives_no_wrong_answer(
    model: Path, tmp_path: Path, place: int
) -> None:
    path = tmp_path / "kv"
    prompt = [1, 2, 3, 4, 5, 6, 7]
    saved(model, path, prompt, block_size=2)
    damaged = bytearray(path.read_bytes())
    damaged[place % len(damaged)] ^= 0x55
    path.write_bytes(damaged)
    with client_on(model, block_size=2, prefix_cache=False) as client:
        computed = answer(client, prompt)[1]
    with client_on(model, block_size=2) as client:
        with pytest.raises(_core.CoreError):
            client.engine.restore_kv(path, KEY)
        cached, found = answer(client, prompt)
        assert found == computed
        assert cached < 6


def whole_file() -> sb.Snapshot:
    kv = bytes(2 * 4 * 2 * 16 * 2)
    blocks = [
        sb.Block(sb.NO_PARENT, [1, 2], kv),
        sb.Block(0, [3, 4], kv),
        sb.Block(sb.NO_PARENT, [5, 6], kv),
    ]
    return sb.Snapshot(KEY.encode(), sb.F32, 2, 2, 16, blocks)


def with_block(index: int, **changes: Any) -> sb.Snapshot:
    whole = whole_file()
    whole.blocks[index] = replace(whole.blocks[index], **changes)
    return whole


DAMAGED, MISMATCH = "KV_SNAPSHOT_DAMAGED", "KV_SNAPSHOT_MISMATCH"


@pytest.mark.parametrize(
    ("lie", "reason", "message"),
    [
        (replace(whole_file(), magic=b"GGUF\0\0\0\0"), DAMAGED, "the file is none"),
        (replace(whole_file(), version=2), MISMATCH, "version is 2; allowed: 1"),
        (replace(whole_file(), key=b"another"), MISMATCH, "key is 'another'; wanted: 'a model and"),
        (replace(whole_file(), key_bytes=4097), DAMAGED, "the key is cut off"),
        (replace(whole_file(), key_bytes=0xFFFFFFFF), DAMAGED, "the key is cut off"),
        (replace(whole_file(), kind=sb.F16), MISMATCH, "another layout"),
        (replace(whole_file(), kind=7), MISMATCH, "another layout"),
        (replace(whole_file(), block_size=0), MISMATCH, "another layout"),
        (replace(whole_file(), block_size=0xFFFFFFFF), MISMATCH, "another layout"),
        (replace(whole_file(), layers=3), MISMATCH, "another layout"),
        (replace(whole_file(), width=8), MISMATCH, "another layout"),
        (replace(whole_file(), count=2), DAMAGED, "another size than its header says"),
        (replace(whole_file(), count=4), DAMAGED, "another size than its header says"),
        (replace(whole_file(), count=1 << 63), DAMAGED, "another size than its header says"),
        (with_block(1, parent=1), DAMAGED, "the parent of block 1 is 1; allowed: a block before"),
        (with_block(0, parent=0), DAMAGED, "the parent of block 0 is 0"),
        (with_block(2, parent=0xFFFFFFFE), DAMAGED, "the parent of block 2 is 4294967294"),
        (with_block(0, tokens=[1, 96]), DAMAGED, "a token of block 0 is 96; allowed: 0 to 95"),
        (with_block(2, tokens=[-1, 5]), DAMAGED, "a token of block 2 is -1"),
    ],
)
def test_lies_with_right_checksums_are_refused(
    model: Path, tmp_path: Path, lie: sb.Snapshot, reason: str, message: str
) -> None:
    (tmp_path / "kv").write_bytes(lie.build())
    with client_on(model, block_size=2, kv_type="f32") as client:
        with pytest.raises(_core.CoreError, match=message) as caught:
            client.engine.restore_kv(tmp_path / "kv", KEY)
        assert reason_of(caught) == reason
        assert client.engine.stats().blocks_held == 0
        (tmp_path / "kv").write_bytes(whole_file().build())
        assert client.engine.restore_kv(tmp_path / "kv", KEY) == 6


def test_records_count_only_in_their_place_and_their_file(model: Path, tmp_path: Path) -> None:
    whole = whole_file().build()
    other = replace(whole_file(), count=3).build()
    assert other == whole
    size = 4 + 8 + 512 + 8
    first, second = whole[-2 * size : -size], whole[-size:]
    longer = with_block(2, tokens=[7, 8])
    longer.blocks.append(sb.Block(sb.NO_PARENT, [9, 9], bytes(512)))
    elsewhere = longer.build()
    swapped = whole[: -2 * size] + second + first
    foreign = whole[:-size] + elsewhere[-2 * size : -size]
    with client_on(model, block_size=2, kv_type="f32") as client:
        for forged in (swapped, foreign):
            (tmp_path / "kv").write_bytes(forged)
            with pytest.raises(_core.CoreError, match="the checksum of block") as caught:
                client.engine.restore_kv(tmp_path / "kv", KEY)
            assert reason_of(caught) == DAMAGED


@given(at=st.floats(0, 1), junk=st.binary(max_size=40), cut=st.integers(0, 64), seal=st.booleans())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_refused_or_restored(
    model: Path, tmp_path: Path, at: float, junk: bytes, cut: int, *, seal: bool
) -> None:
    data = bytearray(whole_file().build())
    begin = int(at * len(data))
    data[begin : begin + cut] = junk
    if seal and len(data) > 48 + len(KEY):
        end = 40 + len(KEY)
        data[end : end + 8] = sb.checksum(0, bytes(data[:end])).to_bytes(8, "little")
    (tmp_path / "kv").write_bytes(data)
    with client_on(model, block_size=2, kv_type="f32", kv_blocks=8) as client:
        if bytes(data) == whole_file().build():
            assert client.engine.restore_kv(tmp_path / "kv", KEY) == 6
            return
        with pytest.raises(_core.CoreError) as caught:
            client.engine.restore_kv(tmp_path / "kv", KEY)
        assert reason_of(caught) in {DAMAGED, MISMATCH, "FILE_UNREADABLE"}


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


def test_a_link_is_replaced_and_not_followed(model: Path, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"kept")
    (tmp_path / "kv").symlink_to(tmp_path / "other")
    saved(model, tmp_path / "kv", LONG)
    assert (tmp_path / "other").read_bytes() == b"kept"
    assert sb.parse((tmp_path / "kv").read_bytes()).key == KEY.encode()


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
                told.append(error.reason)
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
    assert "ENGINE_CLOSED" in told
    assert set(told) <= {512, "ENGINE_CLOSED"}
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
