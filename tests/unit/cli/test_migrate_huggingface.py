from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_runner_router.errors import UnavailableError
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat
from unit import tiny_checkpoint as tiny
from unit.cli.services import FakeService, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.write(tmp_path / "tiny", generation_config={"top_k": 7, "max_length": 20})


def test_it_goes_in(service: FakeService, folder: Path) -> None:
    result = run("migrate", "huggingface", str(folder), "--id", "m", "--quantization", "q8_0")
    assert result.exit_code == 0, result.output
    record, pulled = service.asked
    assert isinstance(record, ModelRecord)
    assert (record.id, record.format, record.source) == ("m", ModelFormat.HF, str(folder))
    assert record.config.quantization == "Q8_0"
    assert pulled == ("", "m")
    assert "registered m" in result.output
    assert "max_length 20 counts prompt and answer" in result.output
    assert "\x1b[31m" not in result.output
    assert service.open == 0


def test_a_dry_run_asks_nobody(service: FakeService, folder: Path) -> None:
    result = run("migrate", "huggingface", str(folder), "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    assert (service.asked, service.targets) == ([], [])
    told = json.loads(result.stdout)
    assert told["result"] == "planned"
    assert told["model"]["source"] == str(folder)
    fates = {field["path"]: field["fate"] for field in told["fields"]}
    assert fates["generation_config.json: top_k"] == "mapped"
    assert fates["generation_config.json: max_length"] == "unmapped"


@pytest.mark.parametrize(
    "arguments", [("gpt2", "--quantization", "Q9"), ("a b",), ("https://h/m",)]
)
def test_what_makes_no_sense_is_refused(service: FakeService, arguments: tuple[str, ...]) -> None:
    result = run("migrate", "huggingface", *arguments)
    assert result.exit_code == 1
    assert "allowed" in result.output
    assert service.asked == []


def test_pickled_weights_are_refused(service: FakeService, folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    result = run("migrate", "huggingface", str(folder))
    assert result.exit_code == 1
    assert "pickled" in result.output
    assert service.asked == []


def test_a_service_that_does_not_answer(service: FakeService, folder: Path) -> None:
    service.failure = UnavailableError("nobody is there")
    assert run("migrate", "huggingface", str(folder)).exit_code == 3
