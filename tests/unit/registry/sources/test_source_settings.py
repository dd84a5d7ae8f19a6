"""What a record takes over from its source, and what it keeps when the source changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.checks.model import MAX_LABEL_VALUE, checked_record
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.registry.sources.source_settings import (
    LABEL,
    NAMES,
    Followed,
    followed,
    is_marked,
    named,
)
from llm_runner_router.types import ModelFormat

BARE = ModelRecord("m", "m", ModelFormat.GGUF, "ollama://m", labels={"mine": "1"})
FIRST = ModelConfig(system="old", max_tokens=3, temperature=0, stop=("a", "b"))
SECOND = ModelConfig(system="new", max_tokens=6, temperature=0, stop=("a",))


def taken(record: ModelRecord = BARE, source: ModelConfig = FIRST) -> ModelRecord:
    return followed(record, source).record


def changed_here(record: ModelRecord, **settings: Any) -> ModelRecord:
    """As somebody changes it through the API."""
    return checked_record(replace(record, config=replace(record.config, **settings)))


def test_gaps_are_filled_and_the_label_says_so() -> None:
    found = followed(BARE, FIRST)
    assert found.record.config == FIRST
    assert found.record.labels["mine"] == "1"
    assert set(found.changed) == {"system", "max_tokens", "temperature", "stop"}
    assert is_marked(found.record)
    assert not is_marked(BARE)
    assert followed(found.record, FIRST) == Followed(found.record)


def test_what_is_still_the_sources_goes_on_with_it() -> None:
    found = followed(checked_record(taken()), SECOND)
    assert found.record.config == SECOND
    assert set(found.changed) == {"system", "max_tokens", "stop"}
    assert found.left == ()
    assert followed(found.record, FIRST).record == taken()


def test_what_the_source_says_no_more_goes() -> None:
    record = taken(source=replace(FIRST, seed=1))
    found = followed(record, ModelConfig(temperature=0))
    assert found.record.config == ModelConfig(temperature=0)
    later = followed(taken(source=ModelConfig()), FIRST)
    assert later.record == taken()


def test_what_was_changed_in_the_record_stays_and_is_told_until_both_agree() -> None:
    record = changed_here(taken(), system="mine", context_length=64)
    assert followed(record, FIRST) == Followed(record)
    found = followed(record, SECOND)
    assert found.record.config == replace(SECOND, system="mine", context_length=64)
    assert list(found.left) == ["system"]
    again = followed(found.record, SECOND)
    assert (again.record, list(again.left)) == (found.record, ["system"])
    agreed = followed(changed_here(found.record, system="new"), SECOND)
    assert (agreed.changed, agreed.left) == (("system",), ())
    assert followed(agreed.record, FIRST).record.config.system == "old"


def test_what_was_taken_out_of_the_record_stays_out() -> None:
    record = changed_here(taken(), system=None, stop=())
    assert followed(record, FIRST) == Followed(record)
    assert followed(record, SECOND).left == ("stop", "system")


def test_one_that_the_record_took_back_follows_again() -> None:
    record = followed(changed_here(taken(), system="mine"), SECOND).record
    back = followed(changed_here(record, system="old"), SECOND)
    assert back.record.config == SECOND


def test_a_new_setting_of_the_source_does_not_replace_the_records_own() -> None:
    record = changed_here(taken(source=ModelConfig()), top_k=5)
    found = followed(record, ModelConfig(top_k=40))
    assert (found.record.config.top_k, list(found.left)) == (5, ["top_k"])


def test_a_removed_setting_of_the_source_does_not_take_the_records_own() -> None:
    record = changed_here(taken(), system="mine")
    found = followed(record, replace(FIRST, system=None))
    assert (found.record.config.system, list(found.left)) == ("mine", ["system"])


@pytest.mark.parametrize("label", ["x", "system:", ":", "system:0", "nothing:1 system", "-"])
def test_a_record_without_marks_keeps_all_that_it_says(label: str) -> None:
    own = replace(BARE, config=replace(FIRST, seed=None), labels={})
    found = followed(own, replace(SECOND, seed=1))
    assert found.record.config == replace(FIRST, seed=1)
    assert (found.changed, found.left) == (("temperature", "seed"), ())
    foreign = followed(replace(own, labels={LABEL: label}), SECOND)
    assert foreign.record.config == FIRST


def test_numbers_are_the_same_however_they_are_written() -> None:
    record = taken(source=ModelConfig(temperature=1, top_k=4))
    back = replace(record, config=replace(record.config, temperature=1.0))
    assert followed(back, ModelConfig(temperature=0.5)).record.config.temperature == 0.5


def test_settings_are_named_as_in_files() -> None:
    assert named(["max_tokens", "system"]) == ["maxTokens", "system"]


CONFIGS = st.builds(
    ModelConfig,
    system=st.sampled_from([None, "a", "b"]),
    top_k=st.sampled_from([None, 0, 1]),
    stop=st.sampled_from([(), ("a",), ("a", "b")]),
)


@given(st.lists(CONFIGS, min_size=1), CONFIGS)
def test_a_record_that_nobody_changes_says_what_its_source_says(
    sources: list[ModelConfig], own: ModelConfig
) -> None:
    record = BARE
    for source in sources:
        record = taken(record, source)
        assert record.config == source
    mine = replace(record, config=own)
    for source in sources:
        found = followed(mine, source)
        assert taken(found.record, source) == found.record
        assert not {*found.changed} & {*found.left}
        for name in set(NAMES) - set(found.changed):
            assert getattr(found.record.config, name) == getattr(own, name)


def test_the_label_has_room_for_all_settings() -> None:
    every = ModelConfig(**dict.fromkeys(NAMES, 1))  # type: ignore[arg-type]
    assert len(taken(source=every).labels[LABEL]) < MAX_LABEL_VALUE
