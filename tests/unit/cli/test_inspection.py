"""``models show`` of a file, without a service."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core import gguf_bytes as gb
from llm_runner_router.cli.inspect_output import MOST_FAULTS
from llm_runner_router.demo import demo_model_path
from llm_runner_router.errors import ModelNotFoundError
from unit.cli.services import FakeService, run
from unit.inspection.header_files import HeaderFile, Shape, text, texts

HOSTILE = "\x1b]0;owned\x07\x9b31m\u202e[bold]\nforged line"

MEMORY_PARTS = ("weights", "kv", "compute", "vocabulary")


def shown(*arguments: str) -> list[str]:
    """The lines of a report, blanks squeezed."""
    result = run("models", "show", *arguments)
    assert result.exit_code == 0, result.output
    return [" ".join(line.split()) for line in result.output.splitlines()]


def test_a_file_is_shown_without_a_service(service: FakeService) -> None:
    lines = shown(str(demo_model_path()), "--context-length", "512", "--parallel", "2")
    assert service.targets == []
    assert {
        "architecture 'llama'",
        "parameters 2.2 M (2,213,568)",
        "bits per weight 8.52",
        "context length 1024",
        "vocabulary size 3072",
        "chat template yes",
        "nothing is unsupported",
    } <= set(lines)
    (memory,) = [line for line in lines if line.startswith("memory ")]
    assert memory.endswith(" for 2 requests at once of 512 tokens")
    assert "of it KV cache 1.5 MiB" in lines  # F16, 4 layers, 96 wide, keys and values
    assert any(line.startswith("q8_0 29 ") for line in lines)
    assert "general.file_type u32 7" in lines
    (tokens,) = [line for line in lines if line.startswith("tokenizer.ggml.tokens ")]
    assert tokens.endswith(", …] (3,072)")
    assert not [line for line in lines if line.startswith("blk.0.attn_q.weight")]


def test_the_documentation_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(demo_model_path().parent)
    page = Path(__file__).parents[3] / "docs" / "inspection.md"
    block = page.read_text(encoding="utf-8").split("```console\n")[1].split("```")[0]
    command, *lines = [" ".join(line.split()) for line in block.splitlines()]
    found = shown(*command.removeprefix("$ llm-router models show ").split())
    # Threads of the machine have buffers of their own.
    varying = ("memory ", "of it computing ")
    assert [line for line in found if not line.startswith(varying)] == [
        line for line in lines if not line.startswith(varying)
    ]


def test_a_name_that_is_no_utf_8(tmp_path: Path) -> None:
    path = HeaderFile().write(tmp_path / os.fsdecode(b"mod\xffel.gguf"))
    assert any(line.endswith("mod\\udcffel.gguf") for line in shown(str(path)))
    assert json.loads(run("models", "show", str(path), "--json").output)["paths"] == [str(path)]


@pytest.mark.parametrize("name", ["x" * 5000, "~nobody-of-that-name/x", "a\0b"])
def test_a_name_that_can_be_no_path_is_an_id(service: FakeService, name: str) -> None:
    service.failure = ModelNotFoundError(name)
    result = run("models", "show", name)
    assert result.exit_code == 1
    assert service.targets


def test_every_tensor_is_listed_where_asked_for() -> None:
    lines = shown(str(demo_model_path()), "--tensors")
    assert "blk.0.attn_k.weight q8_0 192 x 96 19,584" in lines
    assert len([line for line in lines if line.startswith("blk.")]) == 36


def test_json_holds_everything(tmp_path: Path) -> None:
    file = HeaderFile()
    file.keys += [
        gb.entry(b"odd.number", gb.F32, gb.scalar(gb.F32, float("nan"))),
        gb.entry(b"odd.numbers", gb.ARRAY, gb.array(gb.F64, [gb.scalar(gb.F64, float("inf"))])),
        text("odd.text", HOSTILE * 10),
    ]
    path = file.write(tmp_path / "model.gguf")
    result = run("models", "show", str(path), "--json")
    assert result.exit_code == 0
    assert result.output.isascii()
    assert not any(c in result.output for c in "\x1b\x07")
    found = json.loads(result.output)
    assert found["paths"] == [str(path)]
    assert found["parameters"] == sum(tensor["elements"] for tensor in found["tensors"])
    assert found["tensors"][0] == {
        "name": "token_embd.weight",
        "type": "q6_K",
        "shape": [256, 300],
        "elements": 76800,
        "nbytes": 63000,
    }
    memory = found["memory"]
    assert memory["total"] == sum(
        memory[part] for part in ("weights", "kv", "compute", "vocabulary")
    )
    metadata = {line["key"]: line for line in found["metadata"]}
    assert metadata["odd.number"]["value"] == "nan"
    assert metadata["odd.numbers"] == {
        "key": "odd.numbers",
        "type": "array of f64",
        "length": 1,
        "first": ["inf"],
    }
    assert metadata["odd.text"]["value"] == HOSTILE * 10
    assert metadata["tokenizer.ggml.tokens"]["length"] == 300


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path) -> None:
    file = HeaderFile().without_keys("general.architecture").without_keys("tokenizer.chat_template")
    file.keys += [
        text("general.architecture", HOSTILE),
        text("general.name", HOSTILE),
        text("tokenizer.chat_template", "{% raw %}" + HOSTILE + "{% include 'x' %}"),
        texts("list", [HOSTILE] * 3),
    ]
    path = file.write(tmp_path / f"model{HOSTILE.replace('/', '')}.gguf")
    for options in ([], ["--tensors"]):
        output = run("models", "show", str(path), *options).output
        assert not any(c in output for c in "\x1b\x07\x9b\u202e")
        assert not [line for line in output.splitlines() if line.startswith("forged")]
        assert "[bold]" in output


def test_many_faults_are_cut_and_counted(tmp_path: Path) -> None:
    file = HeaderFile(Shape(layers=8, width=256, inner=256, heads=4, kv_heads=2, vocabulary=300))
    for name in list(file.tensors)[10:50]:
        del file.tensors[name]
    path = file.write(tmp_path / "model.gguf")
    lines = shown(str(path))
    assert "memory unknown" in lines
    place = lines.index("unsupported:")
    assert lines[place + MOST_FAULTS + 1 :] == [f"… and {40 - MOST_FAULTS} more; --json shows all"]
    found = json.loads(run("models", "show", str(path), "--json").output)
    assert len(found["unsupported"]) == 40


def test_a_file_that_is_none_is_one_clear_line(tmp_path: Path, service: FakeService) -> None:
    path = tmp_path / "model.gguf"
    missing = run("models", "show", str(path))
    path.write_bytes(b"no GGUF at all, but long enough to be looked at")
    wrong = run("models", "show", str(path))
    for result in (missing, wrong):
        assert result.exit_code == 1
        assert result.output.startswith("error: ")
        assert result.output.count("\n") == 1
    assert service.targets == []


def test_a_file_of_another_name_is_a_file_too(tmp_path: Path) -> None:
    path = HeaderFile().write(tmp_path / "sha256-0123")
    assert "nothing is unsupported" in shown(str(path))


@pytest.mark.parametrize(
    "options", [["--tensors"], ["--json"], ["--parallel", "2"], ["--context-length", "5"]]
)
def test_what_belongs_to_files_is_refused_of_a_model(
    service: FakeService, options: list[str]
) -> None:
    result = run("models", "show", "some-model", *options)
    assert result.exit_code == 2
    assert f"{options[0]} belongs to a file" in result.output
    assert service.targets == []
