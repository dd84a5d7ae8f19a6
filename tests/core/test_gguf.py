"""Reading GGUF: what a good file gives, and what each lie is answered with."""

from __future__ import annotations

import math
import os
import struct
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import gguf
import numpy as np
import pytest

from core import gguf_bytes as gb
from llm_runner_router import _core

Write: TypeAlias = Callable[[bytes], Path]
Refuse: TypeAlias = Callable[[bytes], _core.CoreError]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes bytes to a file and gives its path."""

    def write_bytes(content: bytes) -> Path:
        path = tmp_path / "file.gguf"
        path.write_bytes(content)
        return path

    return write_bytes


@pytest.fixture
def refuse(write: Write) -> Refuse:
    """Opens bytes that must be refused and gives the error."""

    def open_bytes(content: bytes) -> _core.CoreError:
        with pytest.raises(_core.CoreError) as caught:
            _core.GgufFile(write(content))
        return caught.value

    return open_bytes


# --- good files


def test_reads_every_type_of_value(write: Write) -> None:
    metadata = _core.GgufFile(write(gb.small_file().build())).metadata
    expected = {
        gb.U8: 200,
        gb.I8: -5,
        gb.U16: 60000,
        gb.I16: -300,
        gb.U32: 4_000_000_000,
        gb.I32: -70000,
        gb.F32: 0.5,
        gb.BOOL: True,
        gb.STRING: "é",
        gb.U64: 2**63,
        gb.I64: -(2**62),
        gb.F64: 0.1,
    }
    for kind, value in expected.items():
        assert metadata[f"scalar.{kind}"] == value
        assert type(metadata[f"scalar.{kind}"]) is type(value)
        assert metadata[f"array.{kind}"] == [value, value]
    assert len(metadata) == 2 * len(expected)


def test_reads_the_tensor_table(write: Write) -> None:
    content = gb.small_file().build()
    file = _core.GgufFile(write(content))
    assert [(t.name, t.shape, t.type, t.nbytes) for t in file.tensors] == [
        ("first", (32, 2), "f32", 256),
        ("second", (64,), "q4_0", 36),
    ]
    assert [t.offset for t in file.tensors] == [len(content) - 292, len(content) - 36]
    assert file.read_tensor("first") == bytes(range(256))
    assert (file.version, file.alignment, file.nbytes) == (3, 32, len(content))


def test_reads_what_the_gguf_package_writes(tmp_path: Path) -> None:
    path = tmp_path / "written.gguf"
    weights = np.arange(96, dtype=np.float32).reshape(3, 32)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(7)
    writer.add_token_list(["a", "ü", "<|end|>"])
    writer.add_float32("rope", 10000.0)
    writer.add_tensor("weights", weights)
    writer.add_tensor("half", weights.astype(np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    file = _core.GgufFile(path)
    assert file.path == str(path)
    assert file.metadata["general.architecture"] == "llama"
    assert file.metadata["llama.block_count"] == 7
    assert file.metadata["tokenizer.ggml.tokens"] == ["a", "ü", "<|end|>"]
    reference = {t.name: t for t in gguf.GGUFReader(path).tensors}
    assert {t.name: (t.offset, t.nbytes) for t in file.tensors} == {
        name: (t.data_offset, t.n_bytes) for name, t in reference.items()
    }
    assert file.tensors[0].shape == (32, 3)
    read = np.frombuffer(file.read_tensor("weights"), dtype=np.float32).reshape(3, 32)
    assert np.array_equal(read, weights)


def test_accepts_version_2_and_files_without_tensors(write: Write) -> None:
    file = _core.GgufFile(write(gb.GgufBytes(version=2).build()))
    assert (file.version, file.tensors, dict(file.metadata)) == (2, [], {})


def test_honours_the_alignment_of_the_file(write: Write) -> None:
    file = gb.GgufBytes(
        entries=[gb.entry(b"general.alignment", gb.U32, gb.scalar(gb.U32, 64))],
        tensors=[gb.tensor(b"t", (4,))],
        data=b"0123456789abcdef",
        alignment=64,
    )
    opened = _core.GgufFile(write(file.build()))
    assert opened.alignment == 64
    assert opened.tensors[0].offset % 64 == 0
    assert opened.read_tensor("t") == b"0123456789abcdef"


def test_strings_that_are_not_utf8_are_replaced(write: Write) -> None:
    file = gb.GgufBytes(entries=[gb.entry(b"s", gb.STRING, gb.string(b"a\xff\0b"))])
    assert _core.GgufFile(write(file.build())).metadata["s"] == "a\ufffd\0b"


def test_not_a_number_in_metadata_is_a_value(write: Write) -> None:
    file = gb.GgufBytes(entries=[gb.entry(b"f", gb.F32, gb.scalar(gb.F32, math.nan))])
    assert math.isnan(_core.GgufFile(write(file.build())).metadata["f"])


def test_metadata_cannot_be_changed(write: Write) -> None:
    metadata = _core.GgufFile(write(gb.small_file().build())).metadata
    with pytest.raises(TypeError):
        metadata["scalar.0"] = 1  # type: ignore[index]


def test_an_unknown_tensor_is_a_key_error(write: Write) -> None:
    with pytest.raises(KeyError, match="third"):
        _core.GgufFile(write(gb.small_file().build())).read_tensor("third")


def test_files_are_opened_from_many_threads(write: Write) -> None:
    path = write(gb.small_file().build())
    failures: list[BaseException] = []

    def open_often() -> None:
        try:
            for _ in range(50):
                assert _core.GgufFile(path).read_tensor("first") == bytes(range(256))
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=open_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


# --- files that are none


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(_core.CoreError, match="no such file") as caught:
        _core.GgufFile(tmp_path / "missing.gguf")
    assert (caught.value.code, caught.value.reason) == ("NOT_FOUND", "FILE_NOT_FOUND")
    assert caught.value.message == str(caught.value)


def test_a_folder_an_empty_file_and_a_pipe_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    for path, why in (
        (tmp_path, "not a regular"),
        (tmp_path / "empty", "empty"),
        (tmp_path / "pipe", "not a regular"),
    ):
        with pytest.raises(_core.CoreError, match=why) as caught:
            _core.GgufFile(path)
        assert (caught.value.code, caught.value.reason) == (
            "FAILED_PRECONDITION",
            "FILE_UNREADABLE",
        )


# --- lies: each is named with its value and what is allowed

ALIGNMENT = b"general.alignment"
LONG = 2**63 - 1

HEADER_LIES = {
    "magic": (replace(gb.small_file(), magic=b"PK\3\4"), "GGUF_INVALID", r"PK\\x03\\x04"),
    "version 1": (replace(gb.small_file(), version=1), "GGUF_UNSUPPORTED", "version is 1; .*2, 3"),
    "version 4": (replace(gb.small_file(), version=4), "GGUF_UNSUPPORTED", "version is 4"),
    "big-endian": (replace(gb.small_file(), version=3 << 24), "GGUF_UNSUPPORTED", "big-endian"),
    "tensors": (replace(gb.small_file(), tensor_count=2**62), "GGUF_INVALID", "number of tensors"),
    "entries": (replace(gb.small_file(), entry_count=2**62), "GGUF_INVALID", "metadata entries"),
}

METADATA_LIES = {
    "type": (gb.entry(b"k", 13, b""), "GGUF_INVALID", "'k': value type is 13; allowed: 0 to 12"),
    "array type": (gb.entry(b"k", 9, gb.array(99, [])), "GGUF_INVALID", "value type is 99"),
    "nested array": (gb.entry(b"k", 9, gb.array(9, [])), "GGUF_UNSUPPORTED", "array of arrays"),
    "array count": (gb.entry(b"k", 9, gb.array(0, [], 2**60)), "GGUF_INVALID", f"count is {2**60}"),
    "string length": (gb.entry(b"k", 8, gb.string(b"a", 2**40)), "GGUF_INVALID", "1099511627776"),
    "bool": (gb.entry(b"k", 7, b"\2"), "GGUF_INVALID", "bool is 2; allowed: 0, 1"),
    "bool in array": (gb.entry(b"k", 9, gb.array(7, [b"\1", b"\xff"])), "GGUF_INVALID", "is 255"),
    "empty key": (gb.entry(b"", 0, b"\0"), "GGUF_INVALID", "length is 0 bytes; allowed: 1 to"),
    "key with zero": (gb.entry(b"a\0b", 0, b"\0"), "GGUF_INVALID", r"'a\\x00b'.*printable"),
    "alignment 0": (gb.entry(ALIGNMENT, 4, bytes(4)), "GGUF_INVALID", "is 0; allowed: powers"),
    "alignment 4": (gb.entry(ALIGNMENT, 4, b"\4\0\0\0"), "GGUF_INVALID", "is 4; .*from 8"),
    "alignment 48": (gb.entry(ALIGNMENT, 4, b"\x30\0\0\0"), "GGUF_INVALID", "is 48"),
    "alignment 2^31": (gb.entry(ALIGNMENT, 4, b"\0\0\0\x80"), "GGUF_INVALID", "is 2147483648"),
    "alignment text": (
        gb.entry(ALIGNMENT, 8, gb.string(b"32")),
        "GGUF_INVALID",
        "str; allowed: u32",
    ),
}

TENSOR_LIES = {
    "no dimensions": (gb.tensor(b"t", ()), "GGUF_INVALID", "dimensions is 0; allowed: 1 to 4"),
    "five dimensions": (gb.tensor(b"t", (1,) * 5), "GGUF_INVALID", "dimensions is 5"),
    "many dimensions": (gb.tensor(b"t", (1,), dims=2**32 - 1), "GGUF_INVALID", "4294967295"),
    "dimension 0": (gb.tensor(b"t", (32, 0)), "GGUF_INVALID", "dimension 1 is 0; allowed: 1"),
    "dimension -1": (gb.tensor(b"t", (-1,)), "GGUF_INVALID", "dimension 0 is -1"),
    "elements overflow": (gb.tensor(b"t", (2**32, 2**32)), "GGUF_INVALID", "product of its dim"),
    "bytes overflow": (gb.tensor(b"t", (LONG,)), "GGUF_INVALID", "size in bytes"),
    "wraps to small": (gb.tensor(b"t", (2**62 + 1, 4)), "GGUF_INVALID", "product of its dim"),
    "removed type": (gb.tensor(b"t", (32,), kind=4), "GGUF_UNSUPPORTED", "type is 4; allowed"),
    "unknown type": (gb.tensor(b"t", (32,), kind=42), "GGUF_UNSUPPORTED", "type is 42"),
    "huge type": (gb.tensor(b"t", (32,), kind=2**31), "GGUF_UNSUPPORTED", "2147483648"),
    "half a block": (
        gb.tensor(b"t", (48,), kind=2),
        "GGUF_INVALID",
        "is 48; .*q4_0: multiples of 32",
    ),
    "offset unaligned": (gb.tensor(b"t", (4,), 8), "GGUF_INVALID", "offset is 8; .*alignment 32"),
    "offset past end": (gb.tensor(b"t", (4,), 2**40), "GGUF_TRUNCATED", "takes 16 bytes at offset"),
    "offset wraps": (gb.tensor(b"t", (4,), 2**64 - 32), "GGUF_TRUNCATED", "18446744073709551584"),
    "data past end": (gb.tensor(b"t", (4096,)), "GGUF_TRUNCATED", "takes 16384 bytes"),
    "empty name": (gb.tensor(b"", (4,)), "GGUF_INVALID", "name 0: length is 0"),
    "long name": (gb.tensor(b"n" * 64, (4,)), "GGUF_INVALID", "64 bytes; allowed: at most 63"),
    "name with zero": (gb.tensor(b"a\0", (4,)), "GGUF_INVALID", "printable ASCII"),
}


def _check(error: _core.CoreError, reason: str, pattern: str) -> None:
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", reason)
    with pytest.raises(_core.CoreError, match=pattern):
        raise error


@pytest.mark.parametrize("lie", HEADER_LIES)
def test_lies_in_the_header_are_refused(refuse: Refuse, lie: str) -> None:
    file, reason, pattern = HEADER_LIES[lie]
    _check(refuse(file.build()), reason, pattern)


@pytest.mark.parametrize("lie", METADATA_LIES)
def test_lies_in_the_metadata_are_refused(refuse: Refuse, lie: str) -> None:
    entry, reason, pattern = METADATA_LIES[lie]
    _check(refuse(gb.GgufBytes(entries=[entry], data=bytes(64)).build()), reason, pattern)


@pytest.mark.parametrize("lie", TENSOR_LIES)
def test_lies_in_the_tensor_table_are_refused(refuse: Refuse, lie: str) -> None:
    tensor, reason, pattern = TENSOR_LIES[lie]
    _check(refuse(gb.GgufBytes(tensors=[tensor], data=bytes(256)).build()), reason, pattern)


def test_a_key_may_be_there_once(refuse: Refuse) -> None:
    entry = gb.entry(b"twice", gb.U8, b"\0")
    _check(refuse(gb.GgufBytes(entries=[entry, entry]).build()), "GGUF_INVALID", "'twice'.*twice")


def test_a_tensor_name_may_be_there_once(refuse: Refuse) -> None:
    tensors = [gb.tensor(b"same", (4,)), gb.tensor(b"same", (4,), 32)]
    file = gb.GgufBytes(tensors=tensors, data=bytes(64))
    _check(refuse(file.build()), "GGUF_INVALID", "'same': the name is there twice")


def test_tensors_may_not_overlap(refuse: Refuse) -> None:
    tensors = [gb.tensor(b"late", (4,), 32), gb.tensor(b"early", (16,), 0)]
    file = gb.GgufBytes(tensors=tensors, data=bytes(64))
    _check(refuse(file.build()), "GGUF_INVALID", "'late': its data overlaps that of 'early'")


def test_every_truncation_is_refused(write: Write) -> None:
    content = gb.small_file().build()
    for length in range(1, len(content)):
        with pytest.raises(_core.CoreError) as caught:
            _core.GgufFile(write(content[:length]))
        assert caught.value.reason in {"GGUF_TRUNCATED", "GGUF_INVALID"}, length


def test_a_header_that_never_ends_is_refused(tmp_path: Path) -> None:
    """A sparse file costs nothing: its zeros read as empty strings, and memory must not follow."""
    path = tmp_path / "sparse.gguf"
    head = gb.GgufBytes(
        entries=[gb.string(b"k") + struct.pack("<IIQ", gb.ARRAY, gb.STRING, 2**30)],
    ).build()
    path.write_bytes(head)
    os.truncate(path, 2**34)
    with pytest.raises(_core.CoreError) as caught:
        _core.GgufFile(path)
    assert caught.value.reason in {"GGUF_INVALID", "GGUF_UNSUPPORTED"}


def test_hostile_text_in_messages_is_short_and_printable(refuse: Refuse) -> None:
    error = refuse(gb.GgufBytes(entries=[gb.entry(b"\x1b[31m" + b"x" * 500, 0, b"\0")]).build())
    assert error.message.isprintable()
    assert len(error.message) < 400
