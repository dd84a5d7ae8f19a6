from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llm_runner_router.backend import Backend
from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidRequestError,
    ModelFileError,
    ModelNotFoundError,
    UnsupportedError,
)
from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.huggingface import Result, migrate, planned
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import ModelFormat
from unit import tiny_checkpoint as tiny

GENERATION = {
    "temperature": 0.6,
    "top_p": 0.9,
    "top_k": 40,
    "repetition_penalty": 1.1,
    "max_length": 50,
    "eos_token_id": 0,
    "penalty_alpha": 0.6,
}


def ignore(_: PullProgress) -> None:
    """Nobody looks."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.write(tmp_path / "My Model", generation_config=GENERATION)


def test_a_folder_is_looked_into(folder: Path) -> None:
    plan = planned(str(folder), quantization="Q8_0")
    record = plan.record
    assert (record.id, record.format, record.source) == (
        "My-Model",
        ModelFormat.HF,
        str(folder),
    )
    assert record.config.quantization == "Q8_0"
    fates = {field.path.rpartition(" ")[2]: (field.fate, field.target) for field in plan.fields}
    assert fates["context"] == (Fate.MAPPED, "config.contextLength")
    assert fates["repetition_penalty"] == (Fate.MAPPED, "config.repeat_penalty")
    assert fates["max_length"] == (Fate.UNMAPPED, "")
    assert fates["penalty_alpha"] == (Fate.UNMAPPED, "")
    assert fates["tokenizer.json"] == (Fate.MAPPED, "the model's file")
    assert len(fates) == 2 + len(GENERATION)  # context and tokenizer besides
    assert any("prompt and answer" in note for note in plan.notes)


def test_settings_of_an_older_checkpoint_are_told(tmp_path: Path) -> None:
    older = tiny.llama_config(top_k=7, max_length=30, no_repeat_ngram_size=3)
    plan = planned(str(tiny.write(tmp_path / "older", older)))
    fates = {field.path: (field.fate, field.target) for field in plan.fields}
    assert fates["config.json: top_k"] == (Fate.MAPPED, "config.top_k")
    assert fates["config.json: max_length"] == (Fate.UNMAPPED, "")
    assert fates["config.json: no_repeat_ngram_size"] == (Fate.UNMAPPED, "")
    assert "config.json: hidden_size" not in fates


def test_names_of_the_hub_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert planned("gpt2").record.source == "hf://gpt2"
    assert planned("hf://org/repo@v1", "m").record.source == "hf://org/repo@v1"
    assert planned("org/repo").record.id == "repo"
    monkeypatch.chdir(tmp_path)
    elsewhere = planned("./none")
    assert elsewhere.record.source == str(tmp_path / "none")
    assert "not on this machine" in elsewhere.notes[0]


def test_what_makes_no_sense(tmp_path: Path) -> None:
    for model, identity, kind in (
        ("", "", None),
        ("a b", "", None),
        ("gpt2", "a\nb", None),
        ("gpt2", "", "Q9"),
    ):
        with pytest.raises(InvalidRequestError):
            planned(model, identity, kind)
    with pytest.raises(ModelFileError, match=r"config\.json"):
        planned(str(tmp_path))
    tiny.write(tmp_path, tiny.llama_config(architectures=["BertModel"]))
    with pytest.raises(UnsupportedError, match="BertModel"):
        planned(str(tmp_path))


def test_a_chat_template_is_told_of(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    fields = {field.path: field.target for field in planned(str(folder)).fields}
    assert fields["chat template"] == "the model's file"


def test_a_tokenizer_that_cannot_be_converted_shows_in_the_plan(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "NFKC"}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(UnsupportedError, match="NFKC"):
        planned(str(folder))


@pytest.fixture
async def runtime(tmp_path: Path) -> AsyncIterator[Runtime]:
    found = Runtime(load_config({"models": {"cacheDir": str(tmp_path / "cache")}}, None))
    await found.initialize()
    yield found
    await found.close()


async def test_what_cannot_be_brought_is_not_left_registered(
    runtime: Runtime, folder: Path
) -> None:
    plan = planned(str(folder), "m")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1])
    with pytest.raises(ModelFileError):
        await migrate(runtime, plan, ignore)
    with pytest.raises(ModelNotFoundError):
        await runtime.get_model("m")
    await runtime.register_model(plan.record)
    with pytest.raises(ModelFileError):
        await migrate(runtime, plan, ignore)
    assert (await runtime.get_model("m")).record.source == str(folder)  # it was there before


async def test_it_is_registered_converted_and_answers(runtime: Runtime, folder: Path) -> None:
    await check_migration(runtime, folder)


async def check_migration(backend: Backend, folder: Path) -> None:
    told: list[PullProgress] = []
    plan = planned(str(folder), "m")
    outcome = await migrate(backend, plan, told.append)
    assert outcome.result is Result.REGISTERED
    config = outcome.view.record.config
    assert (config.temperature, config.top_k, config.max_tokens) == (0.6, 40, None)
    assert config.context_length == tiny.CONTEXT
    assert "converting" in {step.phase for step in told}
    assert len([note for note in outcome.notes if "max_length" in note]) == 1
    again = await migrate(backend, plan, ignore)
    assert (again.result, again.view.record) == (Result.PRESENT, outcome.view.record)
    with pytest.raises(AlreadyExistsError, match="quantization 'F16' and not 'Q8_0'"):
        await migrate(backend, planned(str(folder), "m", "Q8_0"), ignore)
    assert (await backend.load_model("m")).loaded
