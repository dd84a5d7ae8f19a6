from __future__ import annotations

import pytest

from llm_runner_router.registry.memory.claim import MemoryClaim, listed, readable, refused
from llm_runner_router.registry.memory.resident import Resident
from llm_runner_router.registry.records import MemoryEstimate, ModelRecord
from llm_runner_router.types import ModelFormat

GIB = 2**30


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.00 KiB"),
        (5 * 2**20 // 2, "2.50 MiB"),
        (8 * GIB, "8.00 GiB"),
        (3 * 2**50, "3072.00 TiB"),
    ],
)
def test_bytes_for_people(size: int, expected: str) -> None:
    assert readable(size) == expected


def test_the_largest_are_named() -> None:
    assert listed({}) == "nothing"
    assert listed({"a": 1, "b": 1024}) == "1.00 KiB ('b' 1.00 KiB, 'a' 1 B)"
    many = listed({f"m{number}": number for number in range(1, 10)})
    assert "'m9' 9 B" in many
    assert "'m1'" not in many
    assert many.endswith("…)")


async def test_a_refusal_has_all_the_numbers() -> None:
    resident = Resident(ModelRecord("big", "", ModelFormat.GGUF, "big.gguf"))
    claim = MemoryClaim(resident, MemoryEstimate(weights=5 * GIB, kv=GIB, compute=GIB // 2))
    error = refused(claim, 8 * GIB, {"pin": 3 * GIB}, {"other": GIB})
    assert error.message == (
        "model 'big' needs 6.50 GiB of memory "
        "(weights 5.00 GiB, KV cache 1.00 GiB, compute 512.00 MiB): "
        "of the limit of 8.00 GiB (models.memoryBytes) pinned models take 3.00 GiB "
        "('pin' 3.00 GiB), others 1.00 GiB ('other' 1.00 GiB)"
    )
    assert error.reason == "MEMORY"
