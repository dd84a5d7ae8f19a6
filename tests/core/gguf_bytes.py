"""GGUF files written byte by byte, so that a test can lie where a real writer would not."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
FORMATS = {
    U8: "<B",
    I8: "<b",
    U16: "<H",
    I16: "<h",
    U32: "<I",
    I32: "<i",
    F32: "<f",
    BOOL: "<B",
    U64: "<Q",
    I64: "<q",
    F64: "<d",
}

GGML_F32, GGML_F16, GGML_Q4_0 = 0, 1, 2


def string(text: bytes, length: int | None = None) -> bytes:
    """A length and the text; another length is a lie."""
    return struct.pack("<Q", len(text) if length is None else length) + text


def scalar(kind: int, value: float | bytes) -> bytes:
    """One value without its type."""
    if isinstance(value, bytes):
        return string(value)
    return struct.pack(FORMATS[kind], value)


def entry(key: bytes, kind: int, payload: bytes) -> bytes:
    """One metadata entry."""
    return string(key) + struct.pack("<I", kind) + payload


def array(kind: int, items: list[bytes], count: int | None = None) -> bytes:
    """The payload of an array; another count is a lie."""
    return struct.pack("<IQ", kind, len(items) if count is None else count) + b"".join(items)


def tensor(
    name: bytes,
    shape: tuple[int, ...],
    offset: int = 0,
    kind: int = GGML_F32,
    dims: int | None = None,
) -> bytes:
    """One line of the tensor table."""
    return (
        string(name)
        + struct.pack("<I", len(shape) if dims is None else dims)
        + b"".join(struct.pack("<q", size) for size in shape)
        + struct.pack("<IQ", kind, offset)
    )


@dataclass
class GgufBytes:
    """A file to be: change a field, then build()."""

    magic: bytes = b"GGUF"
    version: int = 3
    entries: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)
    data: bytes = b""
    alignment: int = 32
    entry_count: int | None = None
    tensor_count: int | None = None

    def build(self) -> bytes:
        """The bytes of the file."""
        tensors = len(self.tensors) if self.tensor_count is None else self.tensor_count
        entries = len(self.entries) if self.entry_count is None else self.entry_count
        head = self.magic + struct.pack("<IQQ", self.version, tensors, entries)
        head += b"".join(self.entries) + b"".join(self.tensors)
        return head + b"\0" * (-len(head) % self.alignment) + self.data


def small_file() -> GgufBytes:
    """A valid file with every type of value and two tensors."""
    scalars = {
        U8: 200,
        I8: -5,
        U16: 60000,
        I16: -300,
        U32: 4_000_000_000,
        I32: -70000,
        F32: 0.5,
        BOOL: 1,
        STRING: "é".encode(),
        U64: 2**63,
        I64: -(2**62),
        F64: 0.1,
    }
    entries = [entry(f"scalar.{k}".encode(), k, scalar(k, v)) for k, v in scalars.items()]
    entries += [
        entry(f"array.{k}".encode(), ARRAY, array(k, [scalar(k, v)] * 2))
        for k, v in scalars.items()
    ]
    return GgufBytes(
        entries=entries,
        tensors=[tensor(b"first", (32, 2)), tensor(b"second", (64,), 256, GGML_Q4_0)],
        data=bytes(range(256)) + bytes(36),
    )
