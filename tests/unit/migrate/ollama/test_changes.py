"""What a second migration finds changed, and what it does with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.errors import ConflictError
from llm_runner_router.migrate.ollama.changes import Changes, changes_of
from llm_runner_router.migrate.ollama.model import FoundModel, Way
from llm_runner_router.migrate.ollama.registration import (
    Fate,
    done,
    line_of,
    planned,
    register,
    registered,
)
from llm_runner_router.registry.records import Endpoint, ModelConfig, ModelRecord
from llm_runner_router.registry.sources.source_settings import followed
from llm_runner_router.types import ModelFormat
from unit.echoes import echo_runtime
from unit.migrate.ollama.test_registration import beside

OLD = ModelConfig(system="old", max_tokens=3)
NEW = ModelConfig(system="new", max_tokens=6)
ID = "my:latest"
FACTS = ModelRecord(ID, ID, ModelFormat.GGUF, f"ollama://{ID}", labels={"family": "llama"})
THERE = replace(
    FACTS,
    format=ModelFormat.API,
    source=ID,
    provider="ollama",
    endpoint=Endpoint(base_url="http://a:1"),
)
BLOBS = Path("/store/blobs")


def found(config: ModelConfig, record: ModelRecord = FACTS, weights: str = "1") -> FoundModel:
    way = Way.IN_PLACE if record.format is ModelFormat.GGUF else Way.SERVER
    marked = followed(record, config).record
    return FoundModel(marked, way, ("a note",), BLOBS / weights)


def migrated(record: ModelRecord = FACTS, **settings: Any) -> ModelRecord:
    """As a migration has left it, and somebody has changed it since."""
    marked = followed(record, OLD).record
    return replace(marked, config=replace(marked.config, **settings), etag="e")


def test_what_has_not_changed_stays() -> None:
    assert changes_of(migrated(), found(OLD)) == Changes()
    assert changes_of(migrated(system="mine", seed=1), found(OLD)) == Changes()


@pytest.mark.parametrize("record", [FACTS, THERE])
def test_what_changed_at_ollama_alone_is_taken_over(record: ModelRecord) -> None:
    changes = changes_of(migrated(record), found(NEW, record))
    assert changes.record is not None
    assert changes.record.config == NEW
    assert changes.record.etag == "e"
    assert changes.notes == ("changed at Ollama: maxTokens, system", "a note")


def test_what_was_changed_here_too_is_told() -> None:
    changes = changes_of(migrated(system="mine"), found(NEW))
    assert changes.record is not None
    assert changes.record.config == replace(NEW, system="mine")
    own = "changed at Ollama: system; the record was changed here too, and stays"
    assert changes.notes == ("changed at Ollama: maxTokens", own, "a note")
    both = changes_of(migrated(system="mine", max_tokens=9), found(NEW))
    assert both.record is None
    assert both.notes == (own.replace("system", "maxTokens, system"),)


def test_of_a_record_that_no_migration_has_made_nothing_is_changed() -> None:
    record = replace(FACTS, config=ModelConfig(max_tokens=6))
    (note,) = changes_of(record, found(NEW)).notes
    assert note.startswith("not as at Ollama: system; the record stays")
    assert changes_of(record, found(NEW)).record is None
    assert changes_of(replace(FACTS, config=NEW), found(NEW)) == Changes()


def test_what_is_no_setting_is_told() -> None:
    told = replace(FACTS, labels={"family": "gemma"}, capabilities=("text-generation", "tools"))
    changes = changes_of(migrated(), found(OLD, told))
    assert changes == Changes(
        None, ("not as at Ollama: capabilities, labels.family; the record stays",)
    )
    assert changes_of(migrated(replace(FACTS, labels={})), found(OLD)) == Changes()


def test_who_runs_a_model_by_other_means_says_nothing_of_it() -> None:
    assert changes_of(migrated(), found(ModelConfig(license="MIT"), THERE)) == Changes()


def test_a_path_goes_with_the_weights() -> None:
    here = replace(FACTS, source=str(BLOBS / "1"))
    model = found(OLD, here, weights="2")
    line = line_of(model, beside(migrated(here)))
    assert (line.fate, line.source) == (Fate.UPDATED, str(BLOBS / "2"))
    assert line.notes[0] == "changed at Ollama: weights"
    for other in (
        replace(here, labels={}),
        migrated(replace(here, source="/other/1")),
    ):
        assert line_of(model, beside(other)).fate is Fate.FAILED
    bare = line_of(model, beside(migrated(replace(here, id="my"))))
    assert (bare.fate, bare.alias) == (Fate.ADDED, None)
    adapted = replace(model, adapted=True)
    assert line_of(adapted, beside(migrated(here))).fate is Fate.FAILED


async def test_a_record_that_is_changed_meanwhile_is_not_overwritten() -> None:
    async with echo_runtime(models=()) as runtime:
        await register(runtime, planned([found(OLD, THERE)], await registered(runtime)))
        (line,) = planned([found(NEW, THERE)], await registered(runtime))
        assert line.fate is Fate.UPDATED
        mine = (await runtime.get_model(ID)).record
        mine = replace(mine, config=replace(mine.config, seed=1), etag="")
        await runtime.update_model(mine, ["config"])
        failed = await done(runtime, line)
        assert failed.fate is Fate.FAILED
        assert (await runtime.get_model(ID)).record.config == replace(OLD, seed=1)
        (line,) = await register(runtime, planned([found(NEW, THERE)], await registered(runtime)))
        assert line.fate is Fate.UPDATED
        assert (await runtime.get_model(ID)).record.config == replace(NEW, seed=1)
        (line,) = planned([found(NEW, THERE)], await registered(runtime))
        assert (line.fate, line.changes) == (Fate.UNCHANGED, False)
        with pytest.raises(ConflictError):
            await runtime.update_model(replace(mine, etag="e"), ["config"])
