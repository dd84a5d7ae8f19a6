from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.cache import digests as digests_module
from llm_runner_router.cache.digests import Digests
from llm_runner_router.registry.records import Alias, AliasTarget, ModelConfig
from llm_runner_router.types import ModelFormat
from unit.echoes import model


def test_the_same_content_has_the_same_digest_everywhere() -> None:
    one, two = model("a", etag="1"), model("a", etag="2", created=1.0, updated=2.0)
    assert Digests().of(one) == Digests().of(two)
    assert Digests().of(one) != Digests().of(replace(one, source="other.gguf"))
    assert Digests().of(one) != Digests().of(replace(one, config=ModelConfig(top_k=1)))


def test_a_record_that_is_replaced_is_looked_at_again() -> None:
    digests, record = Digests(), model("a")
    first = digests.of(record)
    assert digests.of(replace(record, source="other.gguf")) != first
    assert digests.of(record) == first


def test_a_model_that_runs_from_an_earlier_source_is_another_until_it_is_loaded_anew() -> None:
    record, running = model("a", "new.gguf"), {"a": model("a", "old.gguf")}
    digests = Digests(running=lambda record: running[record.id])
    before = digests.of(record)
    assert before not in (Digests().of(record), Digests().of(running["a"]))
    running["a"] = record
    assert digests.of(record) == Digests().of(record)
    running["a"] = replace(record, owner="me", etag="2")
    assert digests.of(record) == Digests().of(record)


def test_a_model_that_runs_with_earlier_settings_is_another_until_it_is_loaded_anew() -> None:
    running = model("a", config=ModelConfig(chat_template="old"))
    record = replace(running, config=ModelConfig(chat_template="new"))
    assert Digests(running=lambda _: running).of(record) != Digests().of(record)


def test_what_runs_is_of_the_files_that_it_was_loaded_from(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"1234")
    record = model("a", source=str(path), etag="1")
    running = record
    digests = Digests(running=lambda _: running)
    first = digests.of(record)
    path.write_bytes(b"12345")
    pulled = replace(record, etag="2")
    assert digests.of(pulled) == first
    running = pulled
    assert first != digests.of(pulled) == Digests().of(pulled)


def test_a_model_and_an_alias_of_one_name_are_two() -> None:
    digests, alias = Digests(), Alias("a", (AliasTarget("b"),))
    assert digests.of(model("a")) != digests.of(alias)
    assert digests.of(alias) == digests.of(replace(alias, etag="2"))


def test_each_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    digests, record = Digests(), model("a")
    first = digests.of(record)
    monkeypatch.setattr(digests_module, "digest", lambda _: "made again")
    assert digests.of(record) == first
    monkeypatch.setattr(digests_module, "CAPACITY", 1)
    assert digests.of(model("b")) == "made again"
    assert digests.of(record) == "made again"


def test_another_file_at_the_same_place_is_another_model(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    record = model("a", source=str(path))
    none = Digests().of(record)
    path.write_bytes(b"1234")
    os.utime(path, ns=(10, 10))
    first = Digests().of(record)
    os.utime(path, ns=(11, 11))
    second = Digests().of(record)
    path.write_bytes(b"12345")
    os.utime(path, ns=(11, 11))
    assert len({none, first, second, Digests().of(record)}) == 4


def test_a_file_is_looked_for_where_it_is_known_to_lie(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"1234")
    record = model("a", source="hf://o/r")
    here, nowhere = Digests(lambda _: [path]).of(record), Digests(lambda _: ()).of(record)
    assert here != nowhere == Digests().of(record)
    api = replace(record, format=ModelFormat.API)
    assert Digests(lambda _: [path]).of(api) == Digests(lambda _: ()).of(api)


def test_each_file_of_a_model_counts(tmp_path: Path) -> None:
    weights, adapter = tmp_path / "weights", tmp_path / "adapter"
    weights.write_bytes(b"1234")
    adapter.write_bytes(b"12")
    record = model("a", source="ollama://a")
    alone, both = Digests(lambda _: [weights]), Digests(lambda _: [weights, adapter])
    first = both.of(record)
    adapter.write_bytes(b"123")
    second = Digests(lambda _: [weights, adapter]).of(record)
    assert len({alone.of(record), first, second}) == 3


def test_a_source_that_is_no_path_is_no_file() -> None:
    assert Digests().of(model("a", source="no\0path"))
