"""What is planned beside what is registered already, and what happens when it is done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.errors import UnavailableError
from llm_runner_router.migrate.ollama.model import FoundModel, RefusedModel, Way
from llm_runner_router.migrate.ollama.registration import (
    Fate,
    Line,
    Registered,
    line_of,
    planned,
    register,
    registered,
)
from llm_runner_router.registry.records import Alias, AliasTarget, Endpoint, ModelRecord
from llm_runner_router.types import ModelFormat
from unit.echoes import echo_runtime

BLOB = Path("/store/blobs/sha256-1")
HERE = ModelRecord("llama2:latest", "llama2:latest", ModelFormat.GGUF, "ollama://llama2:latest")
THERE = replace(
    HERE,
    format=ModelFormat.API,
    source="llama2:latest",
    provider="ollama",
    endpoint=Endpoint(base_url="http://a:1"),
)
FOUND = FoundModel(HERE, Way.IN_PLACE, ("a note",), BLOB)
ADAPTED = replace(FOUND, adapted=True)
SERVED = FoundModel(THERE, Way.SERVER)
ALIAS = Alias("llama2", (AliasTarget("llama2:latest"),))


def beside(*models: ModelRecord, aliases: tuple[Alias, ...] = ()) -> Registered:
    return Registered({one.id: one for one in models}, {one.id: one for one in aliases})


def outcome(line: Line) -> tuple[Fate, str, str | None]:
    return line.fate, line.id, line.alias


def test_contract_13_a_name_means_its_latest() -> None:
    line = line_of(FOUND, beside())
    assert outcome(line) == (Fate.ADDED, "llama2:latest", "llama2")
    assert line.notes == ("a note",)
    tagged = FoundModel(replace(HERE, id="llama2:7b"), Way.IN_PLACE)
    assert outcome(line_of(tagged, beside())) == (Fate.ADDED, "llama2:7b", None)
    far = FoundModel(replace(HERE, id="localhost:5000/a/m:latest"), Way.IN_PLACE)
    assert line_of(far, beside()).alias == "localhost:5000/a/m"


@pytest.mark.parametrize(
    ("model", "present"),
    [
        (FOUND, HERE),
        (FOUND, replace(HERE, source="ollama://library/llama2", name="renamed")),
        (FOUND, replace(HERE, source=str(BLOB))),
        (ADAPTED, HERE),
        (SERVED, THERE),
        (SERVED, HERE),
    ],
)
def test_what_is_registered_already_stays(model: FoundModel, present: ModelRecord) -> None:
    line = line_of(model, beside(present, aliases=(ALIAS,)))
    assert outcome(line) == (Fate.UNCHANGED, "llama2:latest", None)
    assert not line.changes
    assert line_of(model, beside(present)).alias == "llama2"


def test_a_model_that_was_pulled_under_its_bare_name_is_that_model() -> None:
    line = line_of(FOUND, beside(replace(HERE, id="llama2", source="ollama://llama2")))
    assert outcome(line) == (Fate.UNCHANGED, "llama2", None)


@pytest.mark.parametrize(
    ("model", "present", "aliases"),
    [
        (FOUND, replace(HERE, source="/other.gguf"), ()),
        (FOUND, replace(HERE, source="ollama://llama3"), ()),
        (ADAPTED, replace(HERE, source=str(BLOB)), ()),
        (SERVED, replace(THERE, endpoint=Endpoint(base_url="http://b:1")), ()),
        (SERVED, replace(THERE, provider="openai"), ()),
        (FOUND, None, (Alias("llama2:latest", (AliasTarget("x"),)),)),
    ],
)
def test_an_id_of_another_is_not_taken(
    model: FoundModel, present: ModelRecord | None, aliases: tuple[Alias, ...]
) -> None:
    line = line_of(model, beside(*([present] if present else []), aliases=aliases))
    assert outcome(line) == (Fate.FAILED, "", None)
    assert "llama2:latest" in line.notes[0]


@pytest.mark.parametrize(
    "present",
    [
        beside(replace(HERE, id="llama2", source="/x.gguf")),
        beside(aliases=(Alias("llama2", (AliasTarget("x"),)),)),
        beside(aliases=(Alias("llama2", (AliasTarget("llama2:latest"), AliasTarget("x"))),)),
    ],
)
def test_a_bare_name_of_another_is_left_to_it(present: Registered) -> None:
    line = line_of(FOUND, present)
    assert outcome(line) == (Fate.ADDED, "llama2:latest", None)
    assert "no alias llama2" in line.notes[-1]


def test_refused_models_are_told() -> None:
    (line,) = planned([RefusedModel("m", "why")], beside())
    assert (line.fate, line.notes, line.changes) == (Fate.FAILED, ("why",), False)


async def test_one_that_fails_does_not_keep_the_others_back() -> None:
    async with echo_runtime(models=()) as runtime:
        other = FoundModel(replace(THERE, id="other:7b", source="other:7b"), Way.SERVER)
        wrong = FoundModel(replace(THERE, id="wrong:7b", provider="nobody"), Way.SERVER)
        lines = planned([wrong, SERVED, other], await registered(runtime))
        done = await register(runtime, lines)
        assert [line.fate for line in done] == [Fate.FAILED, Fate.ADDED, Fate.ADDED]
        assert "provider" in done[0].notes[-1]
        (alias,) = await runtime.list_aliases()
        assert (alias.id, alias.targets) == (ALIAS.id, ALIAS.targets)
        again = planned([SERVED, other], await registered(runtime))
        assert not any(line.changes for line in again)
        await runtime.delete_alias("llama2")
        (line, _) = planned([SERVED, other], await registered(runtime))
        assert (line.fate, line.alias) == (Fate.UNCHANGED, "llama2")
        await register(runtime, [line])
        assert (await runtime.get_alias("llama2")).targets == ALIAS.targets


async def test_a_path_that_does_not_help_is_not_left_for_the_name() -> None:
    """Whatever keeps the service from reading the file, the name at Ollama says more."""
    async with echo_runtime(models=()) as runtime:
        (line,) = await register(runtime, planned([FOUND], await registered(runtime)))
        assert (await runtime.get_model("llama2:latest")).record.source == HERE.source
        assert "cannot tell what it takes" in line.notes[-1]


async def test_a_model_whose_adapter_the_service_does_not_find_is_not_registered() -> None:
    async with echo_runtime(models=()) as runtime:
        (line,) = await register(runtime, planned([ADAPTED], await registered(runtime)))
        assert line.fate is Fate.FAILED
        assert "adapter, which would be lost" in line.notes[-1]
        found = await registered(runtime)
        assert (found.models, found.aliases) == ({}, {})


async def test_a_service_that_goes_away_ends_it() -> None:
    class Gone:
        async def register_model(self, record: ModelRecord) -> Any:
            raise UnavailableError(f"no {record.id}")

    with pytest.raises(UnavailableError):
        await register(Gone(), planned([SERVED], beside()))  # type: ignore[arg-type]


async def test_all_pages_of_the_registry_are_read() -> None:
    names = tuple(f"m{number}" for number in range(101))
    async with echo_runtime(models=names) as runtime:
        assert set((await registered(runtime)).models) == set(names)
