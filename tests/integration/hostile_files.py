"""A small model's file with something wrong in it, the same for the same number."""

from __future__ import annotations

import io
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import gguf
import numpy as np

LENGTHS = [0, 1, 2, 3, 7, 0xFF, 2**31 - 1, 2**31, 2**32 - 1]
LONGS = [*LENGTHS, 2**32, 2**40, 2**61, 2**62, 2**63 - 1, 2**63, 2**64 - 31, 2**64 - 1]
FLOATS = [0.0, -1.0, 1e-38, 1e38, float("inf"), -float("inf"), float("nan")]
BROKEN_WEIGHTS = [float("nan"), float("inf"), -float("inf"), 3e38, -3e38]
TYPES = [*range(45), 2**31, 2**32 - 1]
TEMPLATES = ["{{ messages", "{% for m in range(10 ** 9) %}x{% endfor %}", "{{ ''.__class__ }}", ""]
U32, F32, STRING = (
    gguf.GGUFValueType.UINT32,
    gguf.GGUFValueType.FLOAT32,
    gguf.GGUFValueType.STRING,
)
ADDITIONS = {
    "general.alignment": U32,
    "llama.attention.head_count_kv": U32,
    "llama.attention.key_length": U32,
    "llama.attention.value_length": U32,
    "llama.attention.sliding_window": U32,
    "llama.expert_count": U32,
    "llama.rope.dimension_count": U32,
    "llama.rope.freq_base": F32,
    "llama.rope.scaling.factor": F32,
    "llama.rope.scaling.type": STRING,
    "llama.vocab_size": U32,
    "split.count": U32,
    "tokenizer.ggml.bos_token_id": U32,
    "tokenizer.ggml.eos_token_id": U32,
    "tokenizer.ggml.add_bos_token": U32,
}
"""Keys that the file does not have, with the type of most of their values."""


@dataclass
class Layout:
    """Where things lie in the file that the mutations start from."""

    content: bytes
    keys: dict[str, int] = field(default_factory=dict)  # name → position of its value's type
    tensors: dict[str, int] = field(default_factory=dict)  # name → position of its dimensions
    table: int = 0
    table_end: int = 0
    data: int = 0

    @classmethod
    def of(cls, path: Path) -> Layout:
        reader = gguf.GGUFReader(path)
        layout = cls(path.read_bytes())
        for name in reader.fields:
            if not name.startswith("GGUF."):
                start = reader.fields[name].offset
                layout.keys[name] = start + 8 + len(name)
        for tensor in reader.tensors:
            layout.tensors[tensor.name] = tensor.field.offset + 8 + len(tensor.name)
        layout.table = min(tensor.field.offset for tensor in reader.tensors)
        last = reader.tensors[-1].field
        layout.table_end = last.offset + sum(part.nbytes for part in last.parts)
        layout.data = reader.data_offset
        return layout


Mutation = Callable[[Layout, random.Random], bytes]


def header(layout: Layout, chance: random.Random) -> bytes:
    """Magic, version, number of tensors, number of entries."""
    position, form, values = chance.choice(
        [(0, "<I", LENGTHS), (4, "<I", LENGTHS), (8, "<Q", LONGS), (16, "<Q", LONGS)]
    )
    return patched(layout.content, position, struct.pack(form, chance.choice(values)))


def metadata_value(layout: Layout, chance: random.Random) -> bytes:
    """A hyper-parameter, a length or a count that lies; or another type."""
    name = chance.choice([*layout.keys])
    position = layout.keys[name]
    (kind,) = struct.unpack_from("<I", layout.content, position)
    if chance.random() < 0.2:
        return patched(layout.content, position, struct.pack("<I", chance.choice(range(15))))
    if kind == F32:
        return patched(layout.content, position + 4, struct.pack("<f", chance.choice(FLOATS)))
    if kind == STRING:
        return patched(layout.content, position + 4, struct.pack("<Q", chance.choice(LONGS)))
    if kind == gguf.GGUFValueType.ARRAY:
        return patched(layout.content, position + 8, struct.pack("<Q", chance.choice(LONGS)))
    return patched(layout.content, position + 4, struct.pack("<I", chance.choice(LENGTHS)))


def added_value(layout: Layout, chance: random.Random) -> bytes:
    """One more entry, in a file that is sound otherwise: keys that change how it is run."""
    name = chance.choice([*ADDITIONS]).encode()
    kind = ADDITIONS[name.decode()]
    if kind == U32:
        value = struct.pack("<I", chance.choice([*LENGTHS, 4, 8, 16, 32, 64, 266]))
    elif kind == F32:
        value = struct.pack("<f", chance.choice(FLOATS))
    else:
        text = chance.choice([b"linear", b"yarn", b"longrope", b"\xff", b""])
        value = struct.pack("<Q", len(text)) + text
    entry = struct.pack("<Q", len(name)) + name + struct.pack("<I", kind) + value
    return extended(layout, entry)


def chat_template(layout: Layout, chance: random.Random) -> bytes:
    """A template that does not end, does not parse, or looks around."""
    text = chance.choice(TEMPLATES).encode()
    start = layout.keys["tokenizer.chat_template"] + 4
    (length,) = struct.unpack_from("<Q", layout.content, start)
    value = struct.pack("<Q", len(text)) + text
    tables = layout.content[: layout.table_end]
    changed = tables[:start] + value + tables[start + 8 + length :]
    return changed + bytes(-len(changed) % 32) + layout.content[layout.data :]


def extended(layout: Layout, entry: bytes) -> bytes:
    """The file with one more metadata entry, its data aligned as before."""
    (entries,) = struct.unpack_from("<Q", layout.content, 16)
    tables = patched(layout.content[: layout.table_end], 16, struct.pack("<Q", entries + 1))
    tables = tables[: layout.table] + entry + tables[layout.table :]
    return tables + bytes(-len(tables) % 32) + layout.content[layout.data :]


def tensor_value(layout: Layout, chance: random.Random) -> bytes:
    """A number of dimensions, a size, a type or an offset of the tensor table."""
    position = layout.tensors[chance.choice([*layout.tensors])]
    (dimensions,) = struct.unpack_from("<I", layout.content, position)
    end = position + 4 + 8 * dimensions
    place, form, values = chance.choice(
        [
            (position, "<I", LENGTHS),
            (position + 4, "<Q", LONGS),
            (end - 8, "<Q", LONGS),
            (end, "<I", TYPES),
            (end + 4, "<Q", LONGS),
        ]
    )
    return patched(layout.content, place, struct.pack(form, chance.choice(values)))


def metadata_bytes(layout: Layout, chance: random.Random) -> bytes:
    """Some bytes of the metadata."""
    return scrambled(layout.content, 24, layout.table, chance)


def table_bytes(layout: Layout, chance: random.Random) -> bytes:
    """Some bytes of the tensor table."""
    return scrambled(layout.content, layout.table, layout.data, chance)


def weights(layout: Layout, chance: random.Random) -> bytes:
    """Weights that are no numbers, or too large to compute with: one, some, or all from here."""
    values = np.frombuffer(layout.content[layout.data :], np.float32).copy()
    start = chance.randrange(len(values))
    count = chance.choice([1, 64, 5000, len(values)])
    values[start : start + count] = chance.choice(BROKEN_WEIGHTS)
    return layout.content[: layout.data] + values.tobytes()


def cut(layout: Layout, chance: random.Random) -> bytes:
    """The beginning of the file only: sometimes of its tables only."""
    end = len(layout.content) if chance.random() < 0.5 else layout.data + 64
    return layout.content[: chance.randrange(end)]


def scrambled(content: bytes, start: int, end: int, chance: random.Random) -> bytes:
    """Bits flipped, bytes set, taken out or doubled, at some places from start to end."""
    buffer = io.BytesIO(content)
    for _ in range(chance.randint(1, 4)):
        position = chance.randrange(start, end)
        kind = chance.choice(["flip", "byte", "flip", "byte", "delete", "double"])
        rest = buffer.getvalue()[position:]
        if kind == "flip":
            rest = bytes([rest[0] ^ (1 << chance.randrange(8))]) + rest[1:]
        elif kind == "byte":
            rest = bytes([chance.choice([0, 1, 0x7F, 0x80, 0xFF])]) + rest[1:]
        elif kind == "delete":
            rest = rest[chance.randint(1, 16) :]
        else:
            rest = rest[: chance.randint(1, 16)] + rest
        buffer = io.BytesIO(buffer.getvalue()[:position] + rest)
    return buffer.getvalue()


def patched(content: bytes, position: int, value: bytes) -> bytes:
    """``value`` in the place of what was there."""
    return content[:position] + value + content[position + len(value) :]


MUTATIONS: dict[str, tuple[Mutation, int]] = {
    "header": (header, 12),
    "metadata value": (metadata_value, 30),
    "added value": (added_value, 44),
    "chat template": (chat_template, 6),
    "metadata bytes": (metadata_bytes, 20),
    "tensor value": (tensor_value, 28),
    "tensor table bytes": (table_bytes, 18),
    "weights": (weights, 18),
    "cut": (cut, 12),
}
"""Each with how many files it makes; those that shrink while in use come on top."""
