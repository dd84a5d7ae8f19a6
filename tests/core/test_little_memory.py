"""Files that make the core ask for more memory than a process may have: ggml would abort."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from core import gguf_bytes
from core.gguf_bytes import F32, STRING, U32, GgufBytes
from core.random_llama import RandomLlama
from core.random_model import Kind, Sizes
from llm_runner_router import _core

if TYPE_CHECKING:
    from pathlib import Path

NARROW = Sizes(embedding=2, feed_forward=2, heads=1, kv_heads=1, head_dim=2, vocabulary=4)
# With so many bytes more than reading the file's tables takes.
CRAMPED = """
import resource, sys
from llm_runner_router import _core

def used():
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmData:"))

before = used()
tables = _core.GgufShards(sys.argv[1])
most = 2 * used() - before + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
config = _core.EngineConfig(model_path=sys.argv[1], threads=1, kv_blocks=1)
for attempt in (_core.estimate_memory, lambda config: _core.Engine(config, [], []).close()):
    try:
        attempt(config)
        print("done")
    except _core.CoreError as error:
        print(error.code, error.reason, error.message)
"""


def attempts(path: Path, spare: int) -> list[str]:
    """What came of estimating and of loading."""
    # Sanitizers: as without them.
    own = {"TSAN_OPTIONS": "allocator_may_return_null=1"}
    own["ASAN_OPTIONS"] = f"{own['TSAN_OPTIONS']}:quarantine_size_mb=0"
    ran = subprocess.run(
        [sys.executable, "-c", CRAMPED, str(path), str(spare)],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {name: f"{os.environ.get(name, '')}:{own[name]}" for name in own},
    )
    return ran.stdout.splitlines()


def test_layers_that_get_no_memory_end_nothing(tmp_path: Path) -> None:
    """ggml's scheduler asks for 1.5 GiB."""
    path = RandomLlama(replace(NARROW, layers=1024)).write(tmp_path / "model.gguf")
    message = "no memory for graphs of 73792 tensors, by the model's layers and adapters"
    assert attempts(path, 1 << 30) == [f"RESOURCE_EXHAUSTED OUT_OF_MEMORY {message}"] * 2


def with_tensors_beside(model: RandomLlama, count: int, path: Path) -> Path:
    """Writes a model among tensors that it does not need."""
    kinds = {Kind.UINT32: U32, Kind.FLOAT32: F32}
    entries = [gguf_bytes.entry(b"general.architecture", STRING, gguf_bytes.string(b"llama"))]
    for key, (value, kind) in model.metadata.items():
        payload = gguf_bytes.scalar(kinds[kind], value)
        entries.append(gguf_bytes.entry(f"llama.{key}".encode(), kinds[kind], payload))
    tensors: list[bytes] = []
    data = bytearray()
    for name, array in model.tensors.items():
        tensors.append(gguf_bytes.tensor(name.encode(), array.shape[::-1], len(data)))
        data += array.tobytes()
        data += bytes(-len(data) % 32)
    end = len(data)
    tensors += [gguf_bytes.tensor(b"%x" % i, (1,), end + 32 * i) for i in range(count)]
    data += bytes(32 * count)
    path.write_bytes(GgufBytes(entries=entries, tensors=tensors, data=bytes(data)).build())
    return path


def test_tensors_that_nothing_needs_take_no_memory(tmp_path: Path) -> None:
    """ggml's contexts would take 70 MiB each."""
    path = with_tensors_beside(RandomLlama(), 200_000, tmp_path / "model.gguf")
    assert attempts(path, 48 << 20) == ["done", "done"]


def test_blocks_of_a_tiny_model_are_not_without_number(tmp_path: Path) -> None:
    """Each takes memory beside its keys and values."""
    path = RandomLlama(replace(NARROW, context=1 << 30)).write(tmp_path / "model.gguf")
    config = _core.EngineConfig(model_path=str(path), kv_bytes=1 << 40)
    assert _core.estimate_memory(config).kv_blocks == 1 << 22
