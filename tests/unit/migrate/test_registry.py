"""Old registries become files of 1.2; the expected ones are written by hand from the guide."""

from __future__ import annotations

import copy
import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.registry import migrated_registry
from llm_runner_router.registry.registry_file import parsed
from unit.migrate.old_registries import REGISTRIES, leaf_values

OLD: dict[str, Any] = {
    "models": [
        {
            "name": "my-model",
            "displayName": "My Model",
            "type": "gguf",
            "path": "./models/model.gguf",
            "context_length": 4096,
            "default_temperature": 0.5,
            "parameters": {"top_p": 0.9, "maxTokens": 100},
            "capabilities": ["text-generation", "chat"],
            "speed": 42.5,
            "memory": 4096,
        }
    ],
    "prompts": [
        {
            "name": "qa",
            "displayName": "Question",
            "template": "Answer this question: {question}",
            "stop_tokens": ["\n\n"],
            "compatible_models": ["my-model"],
        },
        {"name": "plain", "template": "Hello"},
    ],
    "routing": {"default": "balanced", "weights": {"quality": 0.4}},
}

NEW: dict[str, Any] = {
    "version": "1.2.0",
    "models": [
        {
            "id": "my-model",
            "name": "My Model",
            "format": "gguf",
            "source": "./models/model.gguf",
            "config": {
                "contextLength": 4096,
                "temperature": 0.5,
                "topP": 0.9,
                "maxTokens": 100,
            },
            "capabilities": ["text-generation", "chat"],
            "performance": {"tokensPerSecond": 42.5, "memoryUsage": 4096},
        }
    ],
    "templates": [
        {
            "id": "qa",
            "name": "Question",
            "format": "Answer this question: {question}",
            "stopTokens": ["\n\n"],
            "modelCompatibility": ["my-model"],
        },
        {
            "id": "plain",
            "name": "plain",
            "format": "Hello",
            "stopTokens": [],
            "modelCompatibility": [],
        },
    ],
    "strategies": {"default": "balanced", "weights": {"quality": 0.4}},
}


def text(content: object) -> str:
    return json.dumps(content)


def test_the_registry_of_the_guide() -> None:
    before = copy.deepcopy(OLD)
    made = migrated_registry(OLD)
    assert text(made.content) == text(NEW)
    assert before == OLD
    assert made.notes == ()
    assert Field("routing.weights.quality", Fate.MAPPED, "strategies.weights.quality") in (
        made.fields
    )


def test_a_second_run_changes_nothing() -> None:
    made = migrated_registry(NEW)
    assert text(made.content) == text(NEW)
    assert all(one.path == one.target and one.fate is not Fate.ADDED for one in made.fields)
    assert made.notes == ()


@pytest.mark.parametrize(
    "document",
    [
        {"templates": [], "version": "1.2.5", "strategies": {}, "x": [None], "models": []},
        {"version": "1.2.0", "models": [{"source": "o/m", "format": "huggingface", "id": "a"}]},
        {"version": "1.2.0", "templates": [{"format": "{{name}}", "id": "braces"}]},
    ],
)
def test_a_file_of_this_version_stays_byte_for_byte(document: dict[str, Any]) -> None:
    assert text(migrated_registry(document).content) == text(document)


def test_a_file_that_is_partly_migrated() -> None:
    old = {
        "version": "1.2.0",
        "models": [NEW["models"][0], {"name": "other", "type": "gguf", "path": "o.gguf"}],
        "templates": [NEW["templates"][0]],
        "prompts": [OLD["prompts"][1]],
        "strategies": {"default": "balanced"},
        "routing": {"weights": {"quality": 0.4}, "default": "balanced"},
    }
    content = migrated_registry(old).content
    assert text(content["models"][0]) == text(NEW["models"][0])
    assert content["models"][1]["id"] == "other"
    assert content["templates"] == NEW["templates"]
    assert content["strategies"] == NEW["strategies"]


def test_point_6_ids_are_stable_and_two_records_of_one_id_are_refused_with_both_places() -> None:
    old = {
        "models": [{"id": "a", "name": "x", "source": "a.gguf"}, {"name": "a", "path": "b.gguf"}]
    }
    with pytest.raises(InvalidRequestError) as raised:
        migrated_registry(old)
    assert raised.value.field == "models[1].id"
    assert "models[0]" in raised.value.allowed
    # `id: name || id` would call the first one x, and see nothing.
    old["models"][1]["name"] = "x"
    content = migrated_registry(old).content
    assert [(one["id"], one["name"]) for one in content["models"]] == [("a", "x"), ("x", "x")]


def test_point_6_two_templates_of_one_id_are_refused_with_both_places() -> None:
    old = {"templates": [{"id": "p", "format": "a"}], "prompts": [{"name": "p", "template": "a"}]}
    with pytest.raises(InvalidRequestError, match=r"prompts\[0\].*templates\[0\]"):
        migrated_registry(old)


def test_point_6_references_by_an_old_name_follow_the_model() -> None:
    old = {
        "models": [
            {"id": "llama-7b", "name": "Llama", "displayName": "Llama 7B", "path": "l.gguf"},
            {"id": "one", "name": "twice", "path": "1.gguf"},
            {"id": "two", "name": "twice", "path": "2.gguf"},
        ],
        "prompts": [
            {"name": "p", "template": "x", "compatible_models": ["Llama", "two", "twice", "l*"]}
        ],
    }
    content = migrated_registry(old).content
    assert content["templates"][0]["modelCompatibility"] == ["llama-7b", "two", "twice", "l*"]


def test_point_8_records_that_cannot_be_migrated_are_kept_and_told() -> None:
    bad: list[Any] = [
        {"path": "./nameless.gguf", "speed": 1},
        {"name": "nowhere"},
        {"name": "old", "type": "ggml", "path": "old.bin"},
        "no object",
        {"name": "who", "provider": "unheard-of"},
    ]
    old = {"models": [*bad, OLD["models"][0]], "prompts": [{"template": "nameless"}, {"name": "p"}]}
    made = migrated_registry(old)
    assert made.content["models"] == NEW["models"]
    assert made.content["templates"] == []
    assert made.content["_unmapped"] == {"models": bad, "templates": old["prompts"]}
    assert len(made.notes) == 7
    told = dict(zip(("nameless", "nowhere", "format", "object", "who"), made.notes, strict=False))
    assert "models[0] has neither a name nor an id" in told["nameless"]
    assert "models[1] has neither a source nor a provider" in told["nowhere"]
    assert "'ggml'" in told["format"]
    assert "models[3] is no object" in told["object"]
    assert "unheard-of" in told["who"]
    kept = {one.path: one.target for one in made.fields if one.fate is Fate.KEPT}
    assert kept["models[0].speed"] == "_unmapped.models[0].speed"
    assert kept["models[3]"] == "_unmapped.models[3]"
    assert {one.path: one.target for one in made.fields}["models[5].type"] == "models[0].format"


def test_what_was_put_aside_stays_and_more_comes_behind_it() -> None:
    old = {"_unmapped": {"models": [{"a": 1}], "odd": 5}, "models": [{"b": 2}]}
    content = migrated_registry(old).content
    assert content["_unmapped"] == {"models": [{"a": 1}, {"b": 2}], "odd": 5}
    assert old["_unmapped"] == {"models": [{"a": 1}], "odd": 5}


def test_routing_that_is_no_object_is_kept() -> None:
    made = migrated_registry({"routing": "balanced"})
    assert made.content["strategies"] == {}
    assert made.content["_unmapped"] == {"routing": "balanced"}
    assert "routing" in made.notes[0]


def test_two_values_of_one_strategy_are_refused_with_both() -> None:
    with pytest.raises(InvalidRequestError, match=r"^routing\.a: 1 .*strategies\.a"):
        migrated_registry({"routing": {"a": 1}, "strategies": {"a": True}})


@pytest.mark.parametrize("version", ["1.3.0", "2", 2, "v1.10", {"major": 1}])
def test_later_versions_are_refused(version: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"^version: .*1\.2\.0 or older"):
        migrated_registry({"version": version})


@pytest.mark.parametrize("key", ["models", "templates", "prompts"])
def test_lists_are_lists(key: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{key}: .*a list"):
        migrated_registry({key: {"a": 1}})
    assert migrated_registry({key: None}).content["models"] == []


def test_a_wrong_value_is_refused_under_the_path_it_has_in_the_old_file() -> None:
    model = {**OLD["models"][0], "parameters": {"top_p": 7}}
    with pytest.raises(InvalidRequestError) as raised:
        migrated_registry({"models": [{"no": "model"}, model]})
    assert raised.value.field == "models[1].parameters.top_p"
    assert raised.value.value == 7


def test_an_id_of_0_is_refused_and_not_taken_for_none() -> None:
    with pytest.raises(InvalidRequestError, match=r"^models\[0\]\.id: 0 "):
        migrated_registry({"models": [{"id": 0, "name": "a", "path": "a.gguf"}]})


@pytest.mark.parametrize("name", ["a\nb", 7, "x" * 129])
def test_a_wrong_id_is_refused_where_it_stands(name: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"^models\[0\]\.name: "):
        migrated_registry({"models": [{"name": name, "path": "a.gguf"}]})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REGISTRIES)
def test_any_registry(old: dict[str, Any]) -> None:
    before = text(old)
    try:
        made = migrated_registry(old)
    except InvalidRequestError:
        return
    assert text(old) == before
    content = json.loads(text(made.content))
    # Accepted by the registry.
    parsed(text(content).encode())
    # No leaf is lost, none is told twice.
    told = [one for one in made.fields if one.fate is not Fate.ADDED]
    if old:
        assert Counter(one.path for one in told) == Counter(path for path, _ in leaf_values(old))
    # What is told to stand somewhere does so, and whatever stands there was told.
    values = dict(leaf_values(old))
    result = dict(leaf_values(content))
    for one in told:
        if one.fate is Fate.KEPT:
            assert result[one.target] == values[one.path]
    assert set(result) <= {one.target for one in made.fields}
    # A second run changes nothing, and ids stay.
    again = migrated_registry(content)
    assert text(again.content) == text(content)
    assert all(one.path == one.target for one in again.fields if one.fate is not Fate.UNMAPPED)
    ids = {one.get("id") or one.get("name") for one in old.get("models") or [] if is_record(one)}
    assert {one["id"] for one in content.get("models", [])} <= ids


def is_record(value: object) -> bool:
    return isinstance(value, dict)
