"""KV snapshots written and read byte by byte, as cpp/kv/snapshot_format.h says."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

MAGIC = b"LLMRKVS\n"
F32, F16 = 0, 1
NO_PARENT = 0xFFFFFFFF
WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix(x: int) -> int:
    """The finaliser of splitmix64."""
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & WORD
    return x ^ (x >> 31)


def checksum(seed: int, data: bytes) -> int:
    """As base/checksum.h says."""
    value = mix((seed + GOLDEN + len(data)) & WORD)
    padded = data + bytes(-len(data) % 8)
    for (word,) in struct.iter_unpack("<Q", padded):
        value = mix(((value ^ word) + GOLDEN) & WORD)
    return value


@dataclass
class Block:
    """One record: the index of its parent, its tokens, its keys and values."""

    parent: int
    tokens: list[int]
    kv: bytes

    def body(self) -> bytes:
        """All but the checksum."""
        head = struct.pack(f"<I{len(self.tokens)}i", self.parent, *self.tokens)
        return head + self.kv


@dataclass
class Snapshot:
    """A file; what is not said is what the header of a right file would say."""

    key: bytes
    kind: int = F32
    block_size: int = 2
    layers: int = 1
    width: int = 2
    blocks: list[Block] = field(default_factory=list)
    magic: bytes = MAGIC
    version: int = 1
    count: int | None = None
    key_bytes: int | None = None

    def header(self) -> bytes:
        """Its bytes, the checksum included."""
        body = self.magic + struct.pack(
            "<6IQ",
            self.version,
            len(self.key) if self.key_bytes is None else self.key_bytes,
            self.kind,
            self.block_size,
            self.layers,
            self.width,
            len(self.blocks) if self.count is None else self.count,
        )
        body += self.key
        return body + struct.pack("<Q", checksum(0, body))

    def build(self) -> bytes:
        """The whole file."""
        header = self.header()
        (seed,) = struct.unpack("<Q", header[-8:])
        records = [
            block.body() + struct.pack("<Q", checksum((seed + index) & WORD, block.body()))
            for index, block in enumerate(self.blocks)
        ]
        return header + b"".join(records)


def parse(data: bytes) -> Snapshot:
    """The contents of a file that is right in every byte; else AssertionError or struct.error."""
    version, key_bytes, kind, block_size, layers, width, count = struct.unpack_from("<6IQ", data, 8)
    snapshot = Snapshot(data[40 : 40 + key_bytes], kind, block_size, layers, width)
    kv_bytes = 2 * (4, 2)[kind] * layers * width * block_size
    record = 4 + 4 * block_size + kv_bytes + 8
    begin = 40 + key_bytes + 8
    for at in range(begin, begin + count * record, record):
        parent, *tokens = struct.unpack_from(f"<I{block_size}i", data, at)
        kv = data[at + 4 + 4 * block_size : at + record - 8]
        snapshot.blocks.append(Block(parent, list(tokens), kv))
    assert version == 1
    assert snapshot.build() == data
    return snapshot


def small() -> Snapshot:
    """Three blocks for the layout that the fuzz target expects."""
    return Snapshot(
        b"key",
        blocks=[
            Block(NO_PARENT, [1, 2], bytes(range(32))),
            Block(0, [3, 4], bytes(range(32, 64))),
            Block(NO_PARENT, [5, 6], bytes(32)),
        ],
    )
