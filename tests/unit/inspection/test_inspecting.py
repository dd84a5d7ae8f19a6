"""Reports on files: what they hold, what they take, and all that is unsupported at once."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest

from core import gguf_bytes as gb
from llm_runner_router.demo import demo_model_path
from llm_runner_router.errors import ModelFileError
from llm_runner_router.inspection.inspecting import Load, inspect
from llm_runner_router.inspection.report import MemoryNeed, ModelReport, TypeGroup
from unit.inspection import inspected_process
from unit.inspection.header_files import HeaderFile, Shape, number, small, text, texts

I32 = gguf.GGMLQuantizationType.I32.value


def report_on(path: Path, **load: int) -> ModelReport:
    return inspect(path, Load(**load))


def test_what_a_file_holds(tmp_path: Path) -> None:
    file = HeaderFile()
    file.keys.append(text("general.name", "Some model"))
    path = file.write(tmp_path / "model.gguf")
    report = report_on(path)
    assert report.paths == (path,)
    assert (report.version, report.file_bytes) == (3, path.stat().st_size)
    assert (report.name, report.architecture) == ("Some model", "llama")
    assert (report.context_length, report.vocabulary_size) == (8192, 300)
    assert report.has_chat_template
    assert report.unsupported == ()
    shapes = file.shape.tensors()
    assert [(tensor.name, tensor.shape) for tensor in report.tensors] == list(shapes.items())
    vectors, matrices = 5 * 256, 2 * 256 * (256 + 128 + 128 + 256 + 3 * 512)
    embeddings = 2 * 256 * 300
    assert report.groups == (
        TypeGroup("q4_K", 14, matrices, matrices // 256 * 144),
        TypeGroup("q6_K", 2, embeddings, embeddings // 256 * 210),
        TypeGroup("f32", 5, vectors, vectors * 4),
    )
    assert report.parameters == vectors + matrices + embeddings
    assert report.bits_per_weight == pytest.approx(8 * report.tensor_bytes / report.parameters)


def test_metadata_in_the_order_of_the_file_and_arrays_by_their_beginning(tmp_path: Path) -> None:
    file = HeaderFile()
    file.keys.insert(0, texts("a.list", ["x", "y"]))
    lines = report_on(file.write(tmp_path / "model.gguf")).metadata
    assert [line.key for line in lines[:3]] == [
        "a.list",
        "general.architecture",
        "llama.block_count",
    ]
    assert (lines[0].type, lines[0].length, lines[0].value) == ("array of str", 2, ["x", "y"])
    assert (lines[2].type, lines[2].length, lines[2].value) == ("u32", None, 2)
    (tokens,) = [line for line in lines if line.key == "tokenizer.ggml.tokens"]
    assert tokens.length == 300
    assert isinstance(tokens.value, list)
    assert len(tokens.value) == 16


def test_the_memory_is_that_of_the_context_and_the_requests(tmp_path: Path) -> None:
    path = HeaderFile().write(tmp_path / "model.gguf")
    whole, half, four = (
        memory_of(report_on(path, **load))
        for load in ({}, {"context_length": 4096}, {"context_length": 4096, "parallel": 4})
    )
    assert (whole.context_length, half.context_length, four.context_length) == (8192, 4096, 4096)
    per_token = 2 * 2 * 2 * 128  # F16 keys and values of two layers
    assert (whole.kv, half.kv, four.kv) == tuple(n * 4096 * per_token for n in (2, 1, 4))
    assert whole.weights == half.weights >= report_on(path).tensor_bytes
    assert whole.compute > 0
    assert whole.total == whole.weights + whole.kv + whole.compute + whole.vocabulary


def memory_of(report: ModelReport) -> MemoryNeed:
    assert report.memory is not None
    return report.memory


def test_a_context_beyond_the_models_is_no_estimate(tmp_path: Path) -> None:
    report = report_on(HeaderFile().write(tmp_path / "model.gguf"), context_length=8193)
    assert report.memory is None
    (fault,) = report.unsupported
    assert "context_length is 8193" in fault


# --- what is unsupported


def key(line: bytes) -> Callable[[HeaderFile], None]:
    """A key in place of the one of that name."""
    name = line[8 : 8 + line[0]].decode()

    def change(file: HeaderFile) -> None:
        file.without_keys(name).keys.append(line)

    return change


def lacks(start: str) -> Callable[[HeaderFile], None]:
    def change(file: HeaderFile) -> None:
        file.without_keys(start)

    return change


def loses(*names: str) -> Callable[[HeaderFile], None]:
    def change(file: HeaderFile) -> None:
        for name in names:
            del file.tensors[name]

    return change


def of_type(name: str, kind: int) -> Callable[[HeaderFile], None]:
    def change(file: HeaderFile) -> None:
        usual = file.kind
        file.kind = lambda one: kind if one == name else usual(one)

    return change


def reshaped(name: str, *shape: int) -> Callable[[HeaderFile], None]:
    def change(file: HeaderFile) -> None:
        file.tensors[name] = shape

    return change


FAULTS = {
    "architecture": (
        key(text("general.architecture", "mamba\x1b[31m")),
        r"'general.architecture' is 'mamba\\x1b\[31m'; supported: llama",
    ),
    "no architecture": (lacks("general.architecture"), "'general.architecture'"),
    "adapter": (key(text("general.type", "adapter")), "'general.type' is 'adapter'"),
    "experts": (key(number("llama.expert_count", 8)), "'llama.expert_count' is 8"),
    "hyper-parameter": (key(number("llama.block_count", 0)), "'llama.block_count' is 0"),
    "missing tensor": (
        loses("blk.1.ffn_up.weight"),
        "tensor 'blk.1.ffn_up.weight' is missing",
    ),
    "type": (
        of_type("blk.0.ffn_gate.weight", I32),
        "tensor 'blk.0.ffn_gate.weight' has type i32; supported: f32, f16",
    ),
    "shape": (
        reshaped("blk.0.attn_k.weight", 256, 256),
        r"tensor 'blk.0.attn_k.weight' has shape \[256, 256\]; allowed: \[256, 128\]",
    ),
    "tokenizer": (
        key(text("tokenizer.ggml.model", "bert")),
        "tokenizer.ggml.model: 'bert' is not allowed; allowed: gpt2, llama",
    ),
    "pre-tokenizer": (
        key(text("tokenizer.ggml.pre", "mistral-next")),
        "tokenizer.ggml.pre: 'mistral-next' is not allowed; allowed: deepseek-r1-qwen, default",
    ),
    "no vocabulary": (lacks("tokenizer.ggml.tokens"), "tokenizer.ggml.tokens: None"),
    "no merges": (lacks("tokenizer.ggml.merges"), "tokenizer.ggml.merges: None"),
    "template": (
        key(text("tokenizer.chat_template", "{% for x in %}")),
        "tokenizer.chat_template: the chat template fails: TemplateSyntaxError",
    ),
    "template that reaches out": (
        key(text("tokenizer.chat_template", "{% include 'x' %}")),
        "tokenizer.chat_template: ",
    ),
    "template of numbers": (
        key(number("tokenizer.chat_template", 7)),
        "tokenizer.chat_template: is no text",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_unsupported_is_named(tmp_path: Path, name: str) -> None:
    change, message = FAULTS[name]
    file = HeaderFile()
    change(file)
    report = report_on(file.write(tmp_path / "model.gguf"))
    found = [fault for fault in report.unsupported if re.search(message, fault)]
    assert len(found) == 1, report.unsupported
    if name != "no vocabulary":  # whose size other keys are compared with
        assert len(report.unsupported) == 1, report.unsupported


def test_all_of_it_is_named_at_once(tmp_path: Path) -> None:
    file = HeaderFile()
    together = ("missing tensor", "type", "shape", "tokenizer", "template")
    for name in together:
        FAULTS[name][0](file)
    loses("output_norm.weight", "blk.0.attn_q.weight")(file)
    report = report_on(file.write(tmp_path / "model.gguf"))
    for message in (
        *(FAULTS[name][1] for name in together),
        "'output_norm.weight' is missing",
        "'blk.0.attn_q.weight' is missing",
    ):
        assert [fault for fault in report.unsupported if re.search(message, fault)], message
    assert len(report.unsupported) == len(together) + 2
    assert report.memory is None


def test_an_unknown_architecture_does_not_hide_types(tmp_path: Path) -> None:
    file = HeaderFile()
    FAULTS["architecture"][0](file)
    FAULTS["type"][0](file)
    report = report_on(file.write(tmp_path / "model.gguf"))
    assert len(report.unsupported) == 2
    assert "'blk.0.ffn_gate.weight' has type i32" in report.unsupported[1]


def test_what_is_no_model_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="magic"):
        report_on(write(tmp_path / "x.gguf", b"GGML" + bytes(60)))
    with pytest.raises(ModelFileError, match="no such file"):
        report_on(tmp_path / "none.gguf")
    with pytest.raises(ModelFileError, match="not a regular file"):
        report_on(tmp_path)


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


# --- sharded sets


def sharded(folder: Path) -> list[Path]:
    """A model in three files, metadata in the first."""
    shape = small()
    names = list(shape.tensors())
    cuts = [names[:1], names[1:9], names[9:]]
    paths = []
    for place, own in enumerate(cuts):
        file = HeaderFile()
        file.tensors = {name: shape.tensors()[name] for name in own}
        if place > 0:
            file.keys = []
        u16 = [("split.no", place), ("split.count", len(cuts))]
        file.keys += [gb.entry(k.encode(), gb.U16, gb.scalar(gb.U16, n)) for k, n in u16]
        total = gb.scalar(gb.I32, len(names))
        file.keys.append(gb.entry(b"split.tensors.count", gb.I32, total))
        paths.append(file.write(folder / f"model-{place + 1:05}-of-{len(cuts):05}.gguf"))
    return paths


@pytest.mark.parametrize("part", [0, 1, 2])
def test_any_part_shows_the_whole_set(tmp_path: Path, part: int) -> None:
    paths = sharded(tmp_path)
    report = report_on(paths[part])
    assert report.paths == tuple(paths)
    assert report.file_bytes == sum(path.stat().st_size for path in paths)
    assert [tensor.name for tensor in report.tensors] == list(small().tensors())
    assert (report.architecture, report.vocabulary_size) == ("llama", 300)
    assert report.unsupported == ()
    alone = report_on(HeaderFile().write(tmp_path / "whole.gguf"))
    assert report.groups == alone.groups
    assert memory_of(report).kv == memory_of(alone).kv


def test_a_set_that_lacks_a_part_is_an_error_that_names_it(tmp_path: Path) -> None:
    paths = sharded(tmp_path)
    paths[1].unlink()
    for part in (0, 2):
        with pytest.raises(ModelFileError, match="shard 2 of 3"):
            report_on(paths[part])


# --- bounded work


@pytest.fixture(scope="module")
def seventy_billion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "model.gguf"
    return HeaderFile(Shape()).write(path)


def test_a_header_of_seventy_billion_costs_little(seventy_billion: Path) -> None:
    """Process time of its own, page faults, and Python objects, measured in a fresh process."""
    assert seventy_billion.stat().st_size > 39e9
    command = [sys.executable, inspected_process.__file__, str(seventy_billion)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cost = json.loads(done.stdout)
    assert cost["parameters"] == 70_553_706_496
    assert cost["unsupported"] == []
    assert cost["blocks"] < 40_000, "vocabulary and merges alone would be 400 000"
    assert cost["faults"] < 60_000, "pages of 4 KiB; the weights alone would be ten million"
    assert cost["seconds"] < 1.0


def test_arrays_of_a_large_file_are_told_by_their_beginning(seventy_billion: Path) -> None:
    lines = report_on(seventy_billion).metadata
    lengths = {line.key: line.length for line in lines if line.length is not None}
    assert lengths["tokenizer.ggml.tokens"] == 128_256
    assert lengths["tokenizer.ggml.merges"] == 280_147
    assert all(len(line.value) == 16 for line in lines if isinstance(line.value, list))


def test_the_shipped_model_is_supported() -> None:
    report = report_on(demo_model_path())
    assert report.unsupported == ()
    assert report.vocabulary_size == 3072
