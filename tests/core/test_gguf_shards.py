"""Models in several files: what a good set gives, and what each lie is answered with."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import forward
from core import gguf_bytes as gb
from core.engine_client import client_of
from core.random_llama import RandomLlama
from llm_runner_router import _core

TOKENS = forward.random_tokens(50, 40)
LOST = ("DATA_LOSS", "MODEL_FILE_TRUNCATED")


@dataclass
class Shard:
    """One file of a set: what its metadata says, and its tensors."""

    number: int
    count: int = 3
    total: int | None = None
    tensors: list[bytes] = field(default_factory=list)
    kind: int = gb.U16
    entries: list[bytes] = field(default_factory=list)

    def build(self) -> bytes:
        entries = [*self.entries, self._entry(b"split.no", self.kind, self.number)]
        entries.append(self._entry(b"split.count", self.kind, self.count))
        if self.total is not None:
            entries.append(self._entry(b"split.tensors.count", gb.I32, self.total))
        lines = [gb.tensor(name, (8,), 32 * i) for i, name in enumerate(self.tensors)]
        data = b"\0" * 32 * len(lines)
        return gb.GgufBytes(entries=entries, tensors=lines, data=data).build()

    @staticmethod
    def _entry(key: bytes, kind: int, value: int) -> bytes:
        return gb.entry(key, kind, gb.scalar(kind, value))


def good() -> list[Shard]:
    """Three files, of which one holds two tensors."""
    name = gb.entry(b"general.name", gb.STRING, gb.string(b"set"))
    return [
        Shard(0, total=4, tensors=[b"a"], entries=[name]),
        Shard(1, tensors=[b"d", b"c"]),
        Shard(2, tensors=[b"b"]),
    ]


def path_of(folder: Path, number: int, count: int = 3) -> Path:
    return folder / f"set-{number:05}-of-{count:05}.gguf"


def write(folder: Path, shards: list[Shard]) -> Path:
    for number, shard in enumerate(shards, 1):
        path_of(folder, number).write_bytes(shard.build())
    return path_of(folder, 1)


def refused(path: Path) -> _core.CoreError:
    with pytest.raises(_core.CoreError) as caught:
        _core.GgufShards(path)
    return caught.value


# --- good sets


def test_a_set_is_read_as_one(tmp_path: Path) -> None:
    shards = _core.GgufShards(write(tmp_path, good()))
    paths = [path_of(tmp_path, number) for number in (1, 2, 3)]
    assert shards.paths == [str(path) for path in paths]
    assert [tensor.name for tensor in shards.tensors] == ["a", "d", "c", "b"]
    assert shards.metadata["general.name"] == "set"
    assert (shards.metadata["split.no"], shards.metadata["split.count"]) == (0, 3)
    assert shards.nbytes == sum(path.stat().st_size for path in paths)
    assert not shards.damaged


def test_numbers_may_have_any_integer_type(tmp_path: Path) -> None:
    first = write(tmp_path, [replace(shard, kind=gb.I64) for shard in good()])
    assert len(_core.GgufShards(first).paths) == 3


@pytest.mark.parametrize("name", ["model.gguf", "set-00002-of-00003.gguf", "x-00001-of-00001.gguf"])
def test_a_file_without_numbers_is_a_set_of_one(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gb.small_file().build())
    shards = _core.GgufShards(path)
    assert shards.paths == [str(path)]
    assert shards.metadata["scalar.0"] == 200
    assert [tensor.name for tensor in shards.tensors] == ["first", "second"]
    assert shards.nbytes == path.stat().st_size


@pytest.mark.parametrize("count", [0, 1])
def test_a_count_of_0_or_1_is_a_set_of_one(tmp_path: Path, count: int) -> None:
    """gguf-split writes 0 where it merges, and keeps the other numbers."""
    path = tmp_path / "merged.gguf"
    path.write_bytes(Shard(0, count, total=9, tensors=[b"a"]).build())
    assert _core.GgufShards(path).paths == [str(path)]


@pytest.mark.parametrize("number", [2, 3])
def test_another_shard_names_the_first(tmp_path: Path, number: int) -> None:
    write(tmp_path, good())
    error = refused(path_of(tmp_path, number))
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_NOT_FIRST_SHARD")
    assert f"is shard {number} of 3; allowed: the first, 'set-00001-of-00003.gguf'" in error.message


# --- lies

LIES: dict[str, tuple[int, dict[str, Any], str, str]] = {
    "count": (0, {"count": 257}, "GGUF_INVALID", "'split.count' is 257; allowed: 0 to 256"),
    "big": (0, {"count": 65535}, "GGUF_INVALID", "'split.count' is 65535; allowed: 0 to"),
    "negative": (0, {"count": -1, "kind": gb.I32}, "GGUF_INVALID", "'split.count' is -1; allowed"),
    "more": (0, {"count": 4}, "GGUF_INVALID", "is 4; .*ends in '-00001-of-00004.gguf'"),
    "fewer": (0, {"count": 2}, "GGUF_INVALID", "is 2; .*ends in '-00001-of-00002.gguf'"),
    "first": (0, {"number": 1}, "GGUF_INVALID", "'split.no' is 1; allowed: 0"),
    "same": (1, {"number": 2}, "GGUF_INVALID", "shard 2 of 3: .*'split.no' is 2; allowed: 1"),
    "zero": (2, {"number": 0}, "GGUF_INVALID", "shard 3 of 3: .*'split.no' is 0; allowed: 2"),
    "other": (1, {"count": 2}, "GGUF_INVALID", "shard 2 of 3: .*'split.count' is 2; allowed: 3"),
    "no total": (0, {"total": None}, "GGUF_MISSING_KEY", "'split.tensors.count'"),
    "total": (0, {"total": 5}, "GGUF_INVALID", "'split.tensors.count' is 5; allowed: 4"),
    "twice": (2, {"tensors": [b"d"]}, "GGUF_INVALID", "'d': is in shard 2 and in shard 3"),
    "lost": (1, {"tensors": []}, "GGUF_INVALID", "'split.tensors.count' is 4; allowed: 2"),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_about_the_set_are_refused(tmp_path: Path, lie: str) -> None:
    index, change, reason, pattern = LIES[lie]
    shards = good()
    shards[index] = replace(shards[index], **change)
    error = refused(write(tmp_path, shards))
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", reason)
    with pytest.raises(_core.CoreError, match=pattern):
        raise error


@pytest.mark.parametrize(
    "name", ["set.gguf", "set-1-of-3.gguf", "set-00001-of-00003.bin", "set-00001_of-00003.gguf"]
)
def test_the_path_of_a_set_has_its_numbers(tmp_path: Path, name: str) -> None:
    write(tmp_path, good())
    path = path_of(tmp_path, 1).rename(tmp_path / name)
    error = refused(path)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "GGUF_INVALID")
    assert "allowed then: a path that ends in '-00001-of-00003.gguf'" in error.message


@pytest.mark.parametrize("number", [2, 3])
def test_a_missing_shard_is_named(tmp_path: Path, number: int) -> None:
    first = write(tmp_path, good())
    path_of(tmp_path, number).unlink()
    error = refused(first)
    assert (error.code, error.reason) == ("NOT_FOUND", "FILE_NOT_FOUND")
    assert f"shard {number} of 3: " in error.message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"PK", "GGUF_TRUNCATED"),
        (b"", "FILE_UNREADABLE"),
        (gb.GgufBytes(magic=b"ABCD").build(), "GGUF_INVALID"),
        (gb.GgufBytes().build(), "GGUF_MISSING_KEY"),
        (Shard(1, tensors=[b"d", b"c"]).build()[:-8], "GGUF_TRUNCATED"),
    ],
)
def test_a_shard_is_checked_like_any_file(tmp_path: Path, content: bytes, reason: str) -> None:
    first = write(tmp_path, good())
    path_of(tmp_path, 2).write_bytes(content)
    error = refused(first)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", reason)
    assert error.message.startswith("shard 2 of 3: ")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    first = path_of(tmp_path, 1)
    count = gb.entry(b"split.count", gb.STRING, gb.string(b"3"))
    first.write_bytes(gb.GgufBytes(entries=[count]).build())
    assert refused(first).reason == "GGUF_WRONG_TYPE"


def test_what_was_opened_is_let_go(tmp_path: Path) -> None:
    """256 files can be mapped at once: a refused set must not keep any."""
    first = write(tmp_path, good())
    path_of(tmp_path, 3).unlink()
    for _ in range(200):
        refused(first)


DAMAGE = {
    "FILE_NOT_FOUND",
    "GGUF_INVALID",
    "GGUF_MISSING_KEY",
    "GGUF_TRUNCATED",
    "GGUF_UNSUPPORTED",
    "GGUF_WRONG_TYPE",
}


@pytest.mark.parametrize("index", [0, 1, 2])
def test_every_byte_of_a_shard_changed(tmp_path: Path, index: int) -> None:
    """A set is whole or refused: never one shard's tensors for another's."""
    content = good()[index].build()
    first = write(tmp_path, good())
    for position in range(len(content)):
        for value in (content[position] ^ 1, content[position] ^ 0x80):
            changed = content[:position] + bytes([value]) + content[position + 1 :]
            path_of(tmp_path, index + 1).write_bytes(changed)
            assert outcome(first) in {*DAMAGE, "whole"}


def outcome(first: Path) -> str:
    """Why a set was refused, or whether it is as large as it should be."""
    try:
        shards = _core.GgufShards(first)
    except _core.CoreError as error:
        return error.reason if error.message.isprintable() else error.message
    return "whole" if len(shards.tensors) == {1: 1, 3: 4}[len(shards.paths)] else "torn"


# --- models


def sharded(model: RandomLlama, folder: Path, tensors: int, **options: Any) -> Path:
    """The first of as many files as it takes."""
    model.write(folder / "set.gguf", split_max_tensors=tensors, **options)
    return next(folder.glob("set-00001-of-*.gguf"))


@pytest.mark.parametrize(
    ("tensors", "count", "options"), [(11, 2, {}), (5, 5, {}), (7, 4, {"small_first_shard": True})]
)
@pytest.mark.parametrize("backwards", [False, True])
def test_logits_are_those_of_the_single_file(
    tmp_path: Path, tensors: int, count: int, options: dict[str, Any], backwards: bool
) -> None:
    model = RandomLlama()
    single = forward.load(model.write(tmp_path / "single.gguf"))
    if backwards:
        model.tensors = dict(reversed(model.tensors.items()))
    first = sharded(model, tmp_path, tensors, **options)
    assert len(_core.GgufShards(first).paths) == count
    many = forward.load(first)
    assert many.parameters == single.parameters
    assert (forward.whole(many, TOKENS) == forward.whole(single, TOKENS)).all()


def test_weights_that_are_copied_come_from_their_own_file(tmp_path: Path) -> None:
    model = RandomLlama()
    for name in [name for name in model.tensors if "norm" in name]:
        model.tensors[name] = model.tensors[name].astype(np.float16)
    single = forward.load(model.write(tmp_path / "single.gguf"))
    many = forward.load(sharded(model, tmp_path, 4))
    assert (forward.whole(many, TOKENS) == forward.whole(single, TOKENS)).all()


def test_a_model_that_lacks_a_tensor_names_it(tmp_path: Path) -> None:
    model = RandomLlama()
    del model.tensors["blk.1.ffn_up.weight"]
    with pytest.raises(_core.CoreError, match=r"tensor 'blk.1.ffn_up.weight' is missing"):
        forward.load(sharded(model, tmp_path, 5))


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_shard_that_shrinks_is_data_loss(tmp_path: Path, number: int) -> None:
    model = forward.load(first := sharded(RandomLlama(), tmp_path, 5))
    forward.whole(model, TOKENS[:4])
    os.truncate(first.with_name(f"set-{number:05}-of-00005.gguf"), 0)
    with pytest.raises(_core.CoreError) as caught:
        forward.whole(model, TOKENS[:4])
    assert (caught.value.code, caught.value.reason) == LOST


def test_an_engine_runs_a_set_and_outlives_a_shard_that_shrinks(tmp_path: Path) -> None:
    first = sharded(RandomLlama(), tmp_path, 11)
    tokens = [b"%d" % i for i in range(40)]
    config = _core.EngineConfig(model_path=str(first), threads=1)
    with client_of(_core.Engine(config, tokens, [0])) as client:
        done = client.ask([1, 2, 3], max_tokens=4, ignore_eos=True)
        assert client.last(done).finish_reason == "length"
        os.truncate(first.with_name("set-00002-of-00002.gguf"), 0)
        lost = client.ask([4, 5, 6], max_tokens=4)
        assert client.last(lost).error_code == "DATA_LOSS"


def test_an_engine_names_the_first_shard(tmp_path: Path) -> None:
    first = sharded(RandomLlama(), tmp_path, 11)
    config = _core.EngineConfig(model_path=str(first.with_name("set-00002-of-00002.gguf")))
    with pytest.raises(_core.CoreError, match=r"the first, 'set-00001-of-00002\.gguf'"):
        _core.Engine(config, [], [])
