"""Which type each tensor gets: the tables of llama.cpp's files, written down by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from core.float_models import TYPES, FloatFile, quantized, types_of
from unit.inspection.header_files import HeaderFile, Shape

if TYPE_CHECKING:
    from pathlib import Path

LAYERS = 16
SENSITIVE = {0, 1, 4, 7, 10, 13, 14, 15}
"""Of 16: the first and last eighth, and every third of those between."""


def model(
    path: Path,
    *,
    layers: int = LAYERS,
    groups: int = 1,
    columns: int = 256,
    down: int = 256,
    tied: bool = False,
) -> Path:
    """The matrices that rules look at, as small as they can be; all zero."""

    def zeros(rows: int, width: int = columns) -> np.ndarray:
        return np.zeros((rows, width), np.float16)

    tensors = {"token_embd.weight": zeros(2)}
    for layer in range(layers):
        tensors |= {
            f"blk.{layer}.attn_q.weight": zeros(2 * groups),
            f"blk.{layer}.attn_k.weight": zeros(2),
            f"blk.{layer}.attn_v.weight": zeros(2),
            f"blk.{layer}.attn_output.weight": zeros(2),
            f"blk.{layer}.attn_qkv.weight": zeros(2),
            f"blk.{layer}.ffn_gate.weight": zeros(2),
            f"blk.{layer}.ffn_up.weight": zeros(2),
            f"blk.{layer}.ffn_down.weight": zeros(2, down),
        }
    if not tied:
        tensors["output.weight"] = zeros(2)
    return FloatFile(tensors).write(path)


def chosen(source: Path, kind: str) -> dict[str, str | dict[int, str]]:
    """The type of each part; by layer where layers differ."""
    parts: dict[str, dict[int, str]] = {}
    for name, found in types_of(quantized(source, kind)).items():
        words = name.removesuffix(".weight").split(".")
        layer = int(words[1]) if words[0] == "blk" else 0
        parts.setdefault(words[-1], {})[layer] = found
    return {
        part: next(iter(kinds.values())) if len(set(kinds.values())) == 1 else kinds
        for part, kinds in parts.items()
    }


def by_layer(special: set[int], kind: str, base: str) -> dict[int, str]:
    return {layer: kind if layer in special else base for layer in range(LAYERS)}


Q6, Q5, Q4, Q3, Q2 = "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K"
MIXES = {
    "Q2_K": {"attn_v": Q3, "attn_output": Q3, "ffn_down": Q3},
    "Q3_K_S": {},
    "Q3_K_M": {
        "attn_v": by_layer({0, 1}, Q5, Q4),
        "attn_output": Q4,
        "attn_qkv": Q4,
        "ffn_down": by_layer({0}, Q5, Q4),
    },
    "Q3_K_L": {"attn_v": Q5, "attn_output": Q5, "attn_qkv": Q4, "ffn_down": Q5},
    "Q4_K_S": {
        "attn_v": by_layer({0, 1, 2, 3}, Q5, Q4),
        "ffn_down": by_layer({0, 1}, Q5, Q4),
    },
    "Q4_K_M": {
        "attn_v": by_layer(SENSITIVE, Q6, Q4),
        "attn_qkv": Q5,
        "ffn_down": by_layer(SENSITIVE, Q6, Q4),
    },
    "Q5_K_S": {},
    "Q5_K_M": {
        "attn_v": by_layer(SENSITIVE, Q6, Q5),
        "attn_qkv": Q6,
        "ffn_down": by_layer(SENSITIVE, Q6, Q5),
    },
    "Q6_K": {},
}


@pytest.mark.parametrize("kind", TYPES)
def test_the_types_of_each_part(tmp_path: Path, kind: str) -> None:
    base = kind.removesuffix("_S").removesuffix("_M").removesuffix("_L")
    output = kind if kind in {"F16", "Q8_0"} else Q6
    parts = ("token_embd", "attn_q", "attn_k", "attn_v", "attn_output", "attn_qkv")
    expected = dict.fromkeys((*parts, "ffn_gate", "ffn_up", "ffn_down"), base)
    expected |= {"output": output, **MIXES.get(kind, {})}
    assert chosen(model(tmp_path / "model.gguf"), kind) == expected


def test_a_token_embedding_that_is_the_output_too_gets_the_outputs_type(tmp_path: Path) -> None:
    source = model(tmp_path / "model.gguf", layers=1, tied=True)
    assert chosen(source, "Q4_K_M")["token_embd"] == Q6
    assert chosen(source, "Q8_0")["token_embd"] == "Q8_0"


@pytest.mark.parametrize(("groups", "kind"), [(3, Q3), (4, Q4), (8, Q4)])
def test_values_shared_by_four_heads_are_worth_more(tmp_path: Path, groups: int, kind: str) -> None:
    assert chosen(model(tmp_path / "model.gguf", layers=1, groups=groups), "Q2_K")["attn_v"] == kind


def test_the_values_of_seventy_billion_cost_next_to_nothing(tmp_path: Path) -> None:
    shared = chosen(model(tmp_path / "shared.gguf", layers=80, groups=8), "Q4_K_M")["attn_v"]
    single = chosen(model(tmp_path / "single.gguf", layers=80), "Q4_K_M")["attn_v"]
    assert isinstance(shared, dict)
    assert isinstance(single, dict)
    assert set(shared.values()) == {Q6, Q5}
    assert set(single.values()) == {Q6, Q4}
    assert {n for n, found in shared.items() if found == Q6} == {
        n for n, found in single.items() if found == Q6
    }


@pytest.mark.parametrize(
    ("kind", "stand_in", "down"),
    [
        ("Q2_K", "Q4_0", Q3),
        ("Q3_K_S", "Q4_0", Q3),
        ("Q4_K_M", "Q5_0", Q6),
        ("Q5_K_S", "Q5_1", Q5),
        ("Q6_K", "Q8_0", Q6),
        ("Q4_0", "Q4_0", "Q4_0"),
    ],
)
def test_columns_that_no_block_of_256_fits(
    tmp_path: Path, kind: str, stand_in: str, down: str
) -> None:
    found = chosen(model(tmp_path / "model.gguf", layers=1, columns=96, down=512), kind)
    assert (found["attn_q"], found["token_embd"], found["output"]) == (stand_in, stand_in, "Q8_0")
    assert found["ffn_down"] == down


@pytest.mark.parametrize("kind", ["Q4_K_M", "Q8_0", "Q4_0"])
def test_columns_that_no_block_of_32_fits_become_f16(tmp_path: Path, kind: str) -> None:
    found = chosen(model(tmp_path / "model.gguf", layers=1, columns=40, down=64), kind)
    assert found["attn_q"] == found["output"] == "F16"
    assert found["ffn_down"] != "F16"


def test_names_that_are_no_layers_are_no_trouble(tmp_path: Path) -> None:
    zeros = np.zeros((2, 256), np.float16)
    names = [
        "blk.99999999999999999999.attn_v.weight",
        "blk.-1.attn_v.weight",
        "blk.x.attn_v.weight",
        "blk..weight",
        "blk.7",
        "weight",
        "blk.2147483647.ffn_down.weight",
    ]
    source = FloatFile(dict.fromkeys(names, zeros)).write(tmp_path / "model.gguf")
    found = types_of(quantized(source, "Q4_K_M"))
    assert found["blk.-1.attn_v.weight"] == found["blk.x.attn_v.weight"] == Q4
    assert found["blk.2147483647.ffn_down.weight"] == Q6
    assert found["weight"] == found["blk.7"] == "F16"


@pytest.mark.parametrize(
    ("kind", "bits"), [("Q2_K", 3.16), ("Q3_K_M", 4.00), ("Q4_K_M", 4.89), ("Q5_K_M", 5.70)]
)
def test_the_bits_of_llama_3_8b_are_those_that_llama_cpp_publishes(
    tmp_path: Path, kind: str, bits: float
) -> None:
    """An eighth of its width: the shares of the matrices are the same, but for the norms."""
    shape = Shape(
        layers=32, width=512, inner=1792, heads=32, kv_heads=8, vocabulary=16_032, merges=0
    )
    file = HeaderFile(shape, kind=lambda _: gguf.GGMLQuantizationType.F16.value)
    reader = quantized(file.write(tmp_path / "model.gguf"), kind, threads=2)
    size = sum(int(tensor.n_bytes) for tensor in reader.tensors)
    elements = sum(int(tensor.n_elements) for tensor in reader.tensors)
    assert 8 * size / elements == pytest.approx(bits, abs=0.015)
