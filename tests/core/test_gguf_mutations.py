"""Damaged files: each is refused with a clear error or is valid; none ends the process."""

from __future__ import annotations

import random
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import gguf_bytes as gb
from llm_runner_router import _core

REASONS = {"GGUF_INVALID", "GGUF_TRUNCATED", "GGUF_UNSUPPORTED"}
INTERESTING = [0, 1, 0x7F, 0x80, 0xFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1]


def check_refusal(error: _core.CoreError) -> None:
    assert error.code == "FAILED_PRECONDITION"
    assert error.reason in REASONS
    assert error.message.isprintable()


def open_and_use(path: Path, content: bytes) -> bool:
    """True where the file was valid; then everything in it can be read."""
    path.write_bytes(content)
    try:
        file = _core.GgufFile(path)
    except _core.CoreError as error:
        check_refusal(error)
        return False
    ends = sorted((t.offset, t.offset + t.nbytes) for t in file.tensors)
    assert all(end <= file.nbytes for _, end in ends)
    assert all(before[1] <= after[0] for before, after in pairwise(ends))
    for tensor in file.tensors:
        assert len(file.read_tensor(tensor.name)) == tensor.nbytes
    return True


def mutated(seed: int) -> bytes:
    content = bytearray(gb.small_file().build())
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        position = chance.randrange(len(content))
        kind = chance.choice(["flip", "byte", "word", "long", "cut", "insert", "double"])
        if kind == "flip":
            content[position] ^= 1 << chance.randrange(8)
        elif kind == "byte":
            content[position] = chance.randrange(256)
        elif kind == "word":
            content[position : position + 4] = struct.pack("<I", chance.choice(INTERESTING) % 2**32)
        elif kind == "long":
            content[position : position + 8] = struct.pack("<Q", chance.choice(INTERESTING))
        elif kind == "cut":
            del content[position : position + chance.randint(1, 16)]
        elif kind == "insert":
            content[position:position] = chance.randbytes(chance.randint(1, 16))
        else:
            content[position:position] = content[position : position + chance.randint(1, 64)]
    return bytes(content)


@pytest.mark.parametrize("first", range(0, 2000, 100))
def test_mutations_of_a_small_file(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + 100):
        open_and_use(tmp_path / "mutated.gguf", mutated(seed))


def test_mutations_reach_both_outcomes(tmp_path: Path) -> None:
    outcomes = {open_and_use(tmp_path / "mutated.gguf", mutated(seed)) for seed in range(100)}
    assert outcomes == {True, False}


def test_every_bit_of_the_tables_flipped(tmp_path: Path) -> None:
    content = gb.small_file().build()
    path = tmp_path / "flipped.gguf"
    for position in range(len(content) - 292):
        for value in (content[position] ^ 1, content[position] ^ 0x80, 0xFF):
            changed = content[:position] + bytes([value]) + content[position + 1 :]
            open_and_use(path, changed)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(tail=st.binary(max_size=400), tensors=st.integers(0, 4), entries=st.integers(0, 4))
def test_any_bytes_behind_a_valid_header(
    tmp_path: Path, tail: bytes, tensors: int, entries: int
) -> None:
    head = b"GGUF" + struct.pack("<IQQ", 3, tensors, entries)
    open_and_use(tmp_path / "any.gguf", head + tail)


names = st.binary(min_size=0, max_size=70)
sizes = st.integers(-(2**63), 2**63 - 1) | st.integers(0, 64)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lines=st.lists(
        st.tuples(
            names,
            st.lists(sizes, max_size=5),
            st.integers(0, 2**64 - 1) | st.sampled_from([0, 32, 64]),
            st.integers(0, 45),
        ),
        max_size=4,
    )
)
def test_any_tensor_table(tmp_path: Path, lines: list[tuple[bytes, list[int], int, int]]) -> None:
    table = [gb.tensor(name, tuple(shape), offset, kind) for name, shape, offset, kind in lines]
    open_and_use(tmp_path / "any.gguf", gb.GgufBytes(tensors=table, data=bytes(512)).build())
