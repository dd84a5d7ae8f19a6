"""Snapshots are hostile until proven otherwise: refused or right, and never a wrong answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import snapshot_bytes as sb
from core import tiny_llama
from core.snapshot_client import KEY, answer, client_on, reason_of, saved
from llm_runner_router import _core


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama.write(tmp_path_factory.mktemp("model") / "tiny.gguf")


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
