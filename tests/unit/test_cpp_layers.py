"""Each folder of cpp/ includes only what its CMakeLists.txt says that it may."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

CPP = Path(__file__).parents[2] / "cpp"
LIBRARIES = sorted(path.parent.name for path in CPP.glob("*/CMakeLists.txt"))
USES_GGML = {"gguf", "model", "kernels", "kv", "engine", "quantize", "bind"}
NEVER_GGML = {"kv/block_pool.h", "kv/block_pool.cc"}
COMPUTES = {"engine/batch_graph", "engine/graph_backends", "engine/runner"}


def depends(folder: str) -> set[str]:
    """The folders that it names, and those that they name."""
    text = (CPP / folder / "CMakeLists.txt").read_text(encoding="utf-8")
    named = set(re.findall(r"llmr::(\w+)", text)) & set(LIBRARIES)
    return named.union(*(depends(name) for name in named))


def includes(folder: str) -> list[tuple[str, str]]:
    """Every include of a folder: the file that includes and what it includes."""
    sources = [path for path in (CPP / folder).iterdir() if path.suffix in {".h", ".cc"}]
    return [
        (path.relative_to(CPP).as_posix(), included)
        for path in sources
        for included in re.findall(r'^#include ["<]([^">]+)', path.read_text("utf-8"), re.MULTILINE)
    ]


@pytest.mark.parametrize("folder", LIBRARIES)
def test_a_folder_includes_only_what_lies_below_it(folder: str) -> None:
    allowed = depends(folder) | {folder}
    ours = [(path, name) for path, name in includes(folder) if (CPP / name).exists()]
    assert not [pair for pair in ours if pair[1].partition("/")[0] not in allowed]


def test_no_folder_depends_on_itself() -> None:
    assert not [folder for folder in LIBRARIES if folder in depends(folder)]


def test_only_bind_includes_pybind11_and_python() -> None:
    outside = [pair for folder in set(LIBRARIES) - {"bind"} for pair in includes(folder)]
    assert not [pair for pair in outside if pair[1].startswith(("pybind11", "Python.h"))]


def test_bookkeeping_knows_no_ggml() -> None:
    pairs = [
        pair for folder in LIBRARIES for pair in includes(folder) if pair[1].startswith("ggml")
    ]
    assert {path.partition("/")[0] for path, _ in pairs} <= USES_GGML
    assert not {path for path, _ in pairs} & NEVER_GGML


def test_in_the_engine_only_what_computes_batches_knows_ggml() -> None:
    pairs = [pair for pair in includes("engine") if pair[1].startswith("ggml")]
    assert {path.rpartition(".")[0] for path, _ in pairs} <= COMPUTES
