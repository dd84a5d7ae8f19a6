"""Quantised files: their numbers against the gguf package's, their metadata, their refusals."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest

from core import gguf_bytes as gb
from core.float_models import (
    PLAIN,
    TYPES,
    FloatFile,
    go_on,
    matrix,
    quantized,
    tensor_of,
    types_of,
    values_of,
)
from llm_runner_router import _core

NAME = "blk.0.ffn_up.weight"

# Root mean square of the error over that of the weights: twice what normally distributed weights
# lose, so that a scale or a sign that is off shows.
WORST = {
    "F16": 0.0005,
    "Q8_0": 0.02,
    "Q6_K": 0.05,
    "Q5_K": 0.08,
    "Q4_K": 0.16,
    "Q3_K": 0.32,
    "Q2_K": 0.6,
}


def as_bfloat(values: np.ndarray) -> np.ndarray:
    """The upper halves of F32: cut, not rounded, so that they stand for exactly what they say."""
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.sqrt(((found - expected) ** 2).mean() / (expected**2).mean()))


def refused(source: Path, kind: str = "Q8_0", **options: int) -> _core.CoreError:
    """The error of a source that cannot be quantised; nothing is left of the target."""
    before = set(source.parent.iterdir())
    with pytest.raises(_core.CoreError) as caught:
        _core.quantize(source, source.parent / "target.gguf", kind, go_on, **options)
    assert set(source.parent.iterdir()) == before
    return caught.value


# --- numbers


@pytest.mark.parametrize("kind", PLAIN)
@pytest.mark.parametrize("form", ["f32", "f16", "bf16"])
def test_the_bytes_are_those_of_the_gguf_package(tmp_path: Path, kind: str, form: str) -> None:
    values = matrix()
    stored = {"f32": values, "f16": values.astype(np.float16), "bf16": as_bfloat(values)}[form]
    meant = {
        "f32": values,
        "f16": stored.astype(np.float32),
        "bf16": (as_bfloat(values).astype(np.uint32) << 16).view(np.float32),
    }[form]
    source = FloatFile({NAME: stored}).write(tmp_path / "model.gguf")
    found = tensor_of(quantized(source, kind), NAME)
    expected = gguf.quants.quantize(meant, gguf.GGMLQuantizationType[kind])
    assert found.tensor_type.name == kind
    assert found.data.tobytes() == expected.tobytes()


@pytest.mark.parametrize("kind", ["F16", "Q8_0", "Q2_K", "Q3_K_S", "Q4_K_S", "Q5_K_S", "Q6_K"])
def test_errors_stay_within_those_of_the_type(tmp_path: Path, kind: str) -> None:
    values = matrix(spread=0.1)
    source = FloatFile({NAME: values}).write(tmp_path / "model.gguf")
    tensor = tensor_of(quantized(source, kind), NAME)
    assert tensor.tensor_type.name == kind.removesuffix("_S")
    error = relative_error(values_of(tensor), values)
    worst = WORST[tensor.tensor_type.name]
    assert worst / 8 < error < worst


@pytest.mark.parametrize("kind", TYPES)
def test_the_number_of_threads_changes_no_byte(tmp_path: Path, kind: str) -> None:
    tensors = {NAME: matrix(300, seed=1), "blk.0.ffn_down.weight": matrix(100, seed=2)}
    source = FloatFile(tensors).write(tmp_path / "model.gguf")
    one, three = (Path(quantized(source, kind, threads=n).data.filename) for n in (1, 3))
    assert one != three
    assert one.read_bytes() == three.read_bytes()


def test_a_tensor_of_many_pieces_is_cut_nowhere(tmp_path: Path) -> None:
    values = matrix(5000)  # more than is computed between two reports
    source = FloatFile({NAME: values}).write(tmp_path / "model.gguf")
    found = tensor_of(quantized(source, "Q8_0", threads=2), NAME)
    expected = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    assert found.data.tobytes() == expected.tobytes()


def test_tiny_and_large_numbers_stay_finite(tmp_path: Path) -> None:
    values = matrix(4)
    values[0] = 1e-41
    values[1] = np.where(np.arange(512) % 2, 65504, -65504)
    values[2] = 0
    source = FloatFile({NAME: values}).write(tmp_path / "model.gguf")
    for kind in TYPES:
        found = values_of(tensor_of(quantized(source, kind), NAME))
        assert np.isfinite(found).all(), kind
        assert not found[2].any()


# --- what becomes of the other tensors


def test_vectors_norms_and_what_is_no_weight_keep_their_values(tmp_path: Path) -> None:
    half = matrix(1)[0].astype(np.float16)
    tensors = {
        "blk.0.attn_q.bias": half,
        "blk.0.attn_norm.weight": half,
        "blk.0.attn_q_norm.weight": matrix(4).astype(np.float16),
        "blk.0.ffn_gate_inp.weight": matrix(4),
        "ids": np.arange(64, dtype=np.int32).reshape(2, 32),
        "table": matrix(4).astype(np.float16),
        NAME: matrix(),
    }
    source = FloatFile(tensors).write(tmp_path / "model.gguf")
    reader = quantized(source, "Q4_0")
    assert types_of(reader) == {
        "blk.0.attn_q.bias": "F32",
        "blk.0.attn_norm.weight": "F32",
        "blk.0.attn_q_norm.weight": "F32",
        "blk.0.ffn_gate_inp.weight": "F32",
        "ids": "I32",
        "table": "F16",
        NAME: "Q4_0",
    }
    for name, array in tensors.items():
        if name != NAME:
            assert np.array_equal(tensor_of(reader, name).data, array), name


# --- metadata


def test_metadata_keeps_order_types_and_bytes(tmp_path: Path) -> None:
    file = gb.small_file()
    odd = b"a zero \0 inside \xff\xfe no UTF-8"
    file.entries += [gb.entry(b"z.text", gb.STRING, gb.string(odd))]
    file.entries += [gb.entry(b"a.texts", gb.ARRAY, gb.array(gb.STRING, [gb.string(odd)] * 3))]
    file.tensors = [gb.tensor(b"blk.0.ffn_up.weight", (32, 2))]
    file.data = bytes(256)
    source = tmp_path / "source.gguf"
    source.write_bytes(file.build())
    target = tmp_path / "target.gguf"
    _core.quantize(source, target, "Q4_0", go_on)
    added = [
        gb.entry(b"general.quantization_version", gb.U32, gb.scalar(gb.U32, 2)),
        gb.entry(b"general.file_type", gb.U32, gb.scalar(gb.U32, 2)),
    ]
    expected = b"".join([*file.entries, *added])
    start = 4 + 4 + 8 + 8
    content = target.read_bytes()
    assert content[:start] == struct.pack("<4sIQQ", b"GGUF", 3, 1, len(file.entries) + 2)
    assert content[start : start + len(expected)] == expected


@pytest.mark.parametrize(("kind", "number"), TYPES.items())
def test_the_file_says_what_it_is_where_it_said_so_before(
    tmp_path: Path, kind: str, number: gguf.LlamaFileType
) -> None:
    keys = [
        ("general.file_type", 0, gguf.GGUFValueType.UINT64),
        ("general.name", "x", gguf.GGUFValueType.STRING),
    ]
    source = FloatFile({NAME: matrix(2)}, keys).write(tmp_path / "model.gguf")
    target = tmp_path / "target.gguf"
    _core.quantize(source, target, kind.lower(), go_on)
    items = _core.GgufShards(target).metadata_items(0)
    assert [(item.key, item.type, item.value) for item in items] == [
        ("general.architecture", "str", "llama"),
        ("general.file_type", "u32", number.value),
        ("general.name", "str", "x"),
        ("general.quantization_version", "u32", 2),
    ]


@pytest.mark.parametrize("alignment", [8, 32, 256])
def test_the_alignment_is_kept(tmp_path: Path, alignment: int) -> None:
    names = [b"blk.0.ffn_up.weight", b"blk.1.ffn_up.weight", b"last.bias"]
    size = 4 * 32 * 3
    step = -(-size // alignment) * alignment
    file = gb.GgufBytes(
        version=2,
        entries=[gb.entry(b"general.alignment", gb.U32, gb.scalar(gb.U32, alignment))],
        tensors=[gb.tensor(name, (32, 3), n * step) for n, name in enumerate(names)],
        data=np.arange(3 * step // 4, dtype=np.float32).tobytes(),
        alignment=alignment,
    )
    source = tmp_path / "source.gguf"
    source.write_bytes(file.build())
    target = tmp_path / "target.gguf"
    _core.quantize(source, target, "Q8_0", go_on)
    written = _core.GgufFile(target)
    assert written.alignment == alignment
    assert [tensor.offset % alignment for tensor in written.tensors] == [0, 0, 0]
    values = np.arange(3 * step // 4, dtype=np.float32).reshape(3, -1)[1, :96].reshape(3, 32)
    expected = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    assert written.read_tensor(names[1].decode()) == expected.tobytes()


# --- refusals


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 65600.0])
@pytest.mark.parametrize("kind", ["Q4_K_M", "Q8_0", "F16"])
def test_what_no_number_stands_for_is_refused_by_name(
    tmp_path: Path, value: float, kind: str
) -> None:
    spoiled = matrix(64, seed=4)
    spoiled[40, 100] = value
    tensors = {"blk.0.ffn_gate.weight": matrix(), NAME: spoiled}
    error = refused(FloatFile(tensors).write(tmp_path / "model.gguf"), kind, threads=2)
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "TENSOR_NOT_FINITE")
    assert f"'{NAME}': element {40 * 512 + 100} " in error.message


@pytest.mark.parametrize("kind", [np.float16, np.float32])
def test_a_norm_that_is_no_number_is_refused_too(tmp_path: Path, kind: type) -> None:
    norm = np.full(512, np.nan, kind)
    source = FloatFile({NAME: matrix(), "output_norm.weight": norm})
    error = refused(source.write(tmp_path / "model.gguf"))
    assert error.reason == "TENSOR_NOT_FINITE"
    assert "'output_norm.weight'" in error.message


def test_what_is_quantised_already_is_refused(tmp_path: Path) -> None:
    source = FloatFile({"blk.0.attn_norm.weight": matrix(1)[0], NAME: matrix()})
    source.write(tmp_path / "model.gguf")
    _core.quantize(tmp_path / "model.gguf", tmp_path / "small.gguf", "Q4_0", go_on)
    error = refused(tmp_path / "small.gguf")
    assert (error.code, error.reason) == ("FAILED_PRECONDITION", "QUANTIZE_SOURCE")
    assert f"is quantised already: tensor '{NAME}' has type q4_0" in error.message


def test_a_file_without_tensors_is_refused(tmp_path: Path) -> None:
    error = refused(FloatFile().write(tmp_path / "empty.gguf"))
    assert error.reason == "QUANTIZE_SOURCE"
    assert "has no tensors" in error.message


# --- sharded sets


def shards(folder: Path) -> list[Path]:
    """A set of two files, with the keys of sets."""
    tensors = [{NAME: matrix()}, {"blk.1.ffn_up.weight": matrix(seed=1), "last.bias": matrix(1)[0]}]
    number, total = gguf.GGUFValueType.UINT16, gguf.GGUFValueType.INT32
    return [
        FloatFile(
            own,
            [
                ("general.name", "set", gguf.GGUFValueType.STRING),
                ("split.no", place, number),
                ("split.count", 2, number),
                ("split.tensors.count", 3, total),
            ],
        ).write(folder / f"model-{place + 1:05}-of-00002.gguf")
        for place, own in enumerate(tensors)
    ]


def test_a_set_becomes_one_file(tmp_path: Path) -> None:
    first, _ = shards(tmp_path)
    reader = quantized(first, "Q4_0")
    assert types_of(reader) == {NAME: "Q4_0", "blk.1.ffn_up.weight": "Q4_0", "last.bias": "F32"}
    assert not [key for key in reader.fields if key.startswith("split.")]
    assert reader.fields["general.name"].contents() == "set"
    expected = gguf.quants.quantize(matrix(seed=1), gguf.GGMLQuantizationType.Q4_0)
    assert tensor_of(reader, "blk.1.ffn_up.weight").data.tobytes() == expected.tobytes()


def test_a_set_is_named_by_its_first_and_written_over_by_none(tmp_path: Path) -> None:
    first, second = shards(tmp_path)
    assert refused(second).reason == "GGUF_NOT_FIRST_SHARD"
    with pytest.raises(_core.CoreError) as caught:
        _core.quantize(first, second, "Q4_0", go_on, replace=True)
    assert caught.value.reason == "TARGET_IS_SOURCE"


@pytest.mark.parametrize("kind", ["", "Q4_K", "q4_k_m ", "F32", "\x1b[31m", "Q9_0"])
def test_an_unknown_type_is_refused_with_the_known_ones(tmp_path: Path, kind: str) -> None:
    source = FloatFile({NAME: matrix()}).write(tmp_path / "model.gguf")
    error = refused(source, kind)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "QUANTIZATION_UNKNOWN")
    assert error.message.isprintable()
    assert error.message.endswith(f"allowed: {', '.join(TYPES)}")


@pytest.mark.parametrize("threads", [-1, 1025])
def test_a_number_of_threads_out_of_range_is_refused(tmp_path: Path, threads: int) -> None:
    source = FloatFile({NAME: matrix()}).write(tmp_path / "model.gguf")
    error = refused(source, threads=threads)
    assert (error.code, error.reason) == ("INVALID_ARGUMENT", "THREADS")
    assert f"threads is {threads}; allowed: 0 to 1024" in error.message


def test_a_source_that_lies_is_refused_as_when_it_is_opened(tmp_path: Path) -> None:
    source = FloatFile({NAME: matrix()}).write(tmp_path / "model.gguf")
    source.write_bytes(source.read_bytes()[:-1000])
    assert refused(source).reason == "GGUF_TRUNCATED"
    source.unlink()
    assert refused(source).reason == "FILE_NOT_FOUND"
