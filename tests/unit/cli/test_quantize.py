"""``llm-router quantize``."""

from __future__ import annotations

from pathlib import Path

import gguf
import pytest

from core.float_models import TYPES, FloatFile, matrix, types_of
from unit.cli.services import run

NAME = "blk.0.ffn_up.weight"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return FloatFile({NAME: matrix()}).write(tmp_path / "large.gguf")


def test_a_file_is_written_and_its_gain_told(source: Path) -> None:
    target = source.with_name("small.gguf")
    result = run("quantize", str(source), str(target), "--type", "q8_0", "--threads", "2")
    assert result.exit_code == 0, result.output
    before, after = source.stat().st_size, target.stat().st_size
    sizes = f"{before / 1024:.1f} KiB before, {after / 1024:.1f} KiB after"
    assert result.output == f"wrote {target}: {sizes} ({100 * after / before:.0f} %)\n"
    assert types_of(gguf.GGUFReader(target)) == {NAME: "Q8_0"}


def test_the_type_is_q4_k_m_unless_said(source: Path) -> None:
    target = source.with_name("small.gguf")
    assert run("quantize", str(source), str(target)).exit_code == 0
    field = gguf.GGUFReader(target).fields["general.file_type"]
    assert field.contents() == TYPES["Q4_K_M"]


def test_what_is_there_is_replaced_by_force_only(source: Path) -> None:
    target = source.with_name("small.gguf")
    target.write_text("precious")
    refused = run("quantize", str(source), str(target))
    assert refused.exit_code == 1
    assert refused.output.startswith(f"error: path '{target}': exists")
    assert target.read_text() == "precious"
    assert run("quantize", str(source), str(target), "--force").exit_code == 0
    assert types_of(gguf.GGUFReader(target)) == {NAME: "Q4_K"}


def test_errors_are_one_clear_line(source: Path) -> None:
    target = source.with_name("small.gguf")
    for arguments in (
        (str(source), str(target), "--type", "Q4"),
        (str(source.with_name("none.gguf")), str(target)),
        (str(source), str(source.parent / "none" / "small.gguf")),
        (str(source), str(source), "--force"),
    ):
        result = run("quantize", *arguments)
        assert result.exit_code == 1, result.output
        assert result.output.startswith("error: ")
        assert result.output.count("\n") == 1
        assert not target.exists()


def test_help_names_every_type() -> None:
    words = run("quantize", "--help").output.replace(",", " ").replace(";", " ").replace(".", " ")
    assert set(TYPES) <= set(words.split())
