"""Models of old registries, one by one."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.draft import MigratedEntry
from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.model_entry import migrated_model, obstacle


def old(**changes: Any) -> dict[str, Any]:
    return {"name": "m", "type": "gguf", "path": "./m.gguf", **changes}


def migrated(record: dict[str, Any]) -> MigratedEntry:
    assert obstacle(record) == ""
    return migrated_model("models[0]", record)


def fates(made: MigratedEntry) -> dict[str, tuple[Fate, str]]:
    return {one.path: (one.fate, one.target) for one in made.fields if one.path}


def test_a_model_that_says_little_gets_what_older_versions_did() -> None:
    made = migrated(old())
    assert made.entry == {
        "id": "m",
        "name": "m",
        "format": "gguf",
        "source": "./m.gguf",
        "config": {"temperature": 0.7},
        "capabilities": ["text-generation"],
        "performance": {"tokensPerSecond": None, "memoryUsage": None},
    }
    added = {one.target for one in made.fields if one.fate is Fate.ADDED}
    assert added == {
        "name",
        "config.temperature",
        "capabilities[0]",
        "performance.tokensPerSecond",
        "performance.memoryUsage",
    }


def test_point_7_temperature_0_and_speed_0_stay() -> None:
    entry = migrated(old(default_temperature=0, speed=0, memory=0)).entry
    assert entry["config"] == {"temperature": 0}
    assert type(entry["config"]["temperature"]) is int
    assert entry["performance"] == {"tokensPerSecond": 0, "memoryUsage": 0}


def test_point_7_parameters_never_override_the_context_length() -> None:
    parameters = {"contextLength": 2048, "temperature": 1, "seed": 3}
    record = old(context_length=8192, default_temperature=0, parameters=parameters)
    made = migrated(record)
    assert made.entry["config"] == {"contextLength": 8192, "temperature": 0, "seed": 3}
    assert made.entry["parameters"] == {"contextLength": 2048, "temperature": 1}
    path = "parameters.contextLength"
    assert fates(made)[path] == (Fate.KEPT, path)
    assert fates(made)["parameters.seed"] == (Fate.MAPPED, "config.seed")
    assert [note.partition(":")[0] for note in made.notes] == [
        "models[0].parameters.contextLength",
        "models[0].parameters.temperature",
    ]


def test_parameters_say_what_the_model_does_not() -> None:
    made = migrated(old(parameters={"context_length": 512, "temperature": 0}))
    assert made.entry["config"] == {"contextLength": 512, "temperature": 0}
    assert "parameters" not in made.entry


def test_point_7_parameters_that_are_a_string_do_not_become_letters() -> None:
    made = migrated(old(parameters="--ctx 512"))
    assert made.entry["parameters"] == "--ctx 512"
    assert made.entry["config"] == {"temperature": 0.7}
    assert fates(made)["parameters"] == (Fate.KEPT, "parameters")
    assert "no object" in made.notes[0]


def test_parameters_by_all_their_names() -> None:
    parameters = {
        "max_tokens": 50,
        "topP": 0.5,
        "top_k": 40,
        "stop": "###",
        "seed": 0,
        "repetition_penalty": 1.1,
        "mirostat": {"tau": [5, 0.1]},
    }
    made = migrated(old(parameters=parameters))
    assert made.entry["config"] == {
        "maxTokens": 50,
        "topP": 0.5,
        "topK": 40,
        "stop": ["###"],
        "seed": 0,
        "repeatPenalty": 1.1,
        "mirostat": {"tau": [5, 0.1]},
        "temperature": 0.7,
    }
    assert fates(made)["parameters.stop"] == (Fate.MAPPED, "config.stop[0]")
    assert fates(made)["parameters.mirostat.tau[1]"] == (Fate.KEPT, "config.mirostat.tau[1]")


def test_of_two_names_for_one_parameter_the_first_counts_and_the_other_is_told() -> None:
    made = migrated(old(parameters={"max_tokens": 5, "maxTokens": 6, "max_new_tokens": 5}))
    assert made.entry["config"]["maxTokens"] == 5
    assert made.entry["parameters"] == {"maxTokens": 6}
    assert len(made.notes) == 1


def test_null_is_not_set() -> None:
    record = old(context_length=None, default_temperature=None, displayName=None, parameters=None)
    made = migrated(record)
    assert made.entry["config"] == {"contextLength": None, "temperature": 0.7}
    assert fates(made)["displayName"] == (Fate.UNMAPPED, "")
    assert fates(made)["default_temperature"] == (Fate.UNMAPPED, "")


def test_point_8_the_provider_stays() -> None:
    made = migrated({"name": "gpt", "type": "api", "provider": "openai", "path": "gpt-5"})
    assert made.entry["provider"] == "openai"
    assert made.entry["source"] == "gpt-5"
    assert "config" not in made.entry  # not every model behind an API takes a temperature


@pytest.mark.parametrize(
    ("named", "called"),
    [("OpenAI", "openai"), ("cohere", "any-llm:cohere"), ("bedrock", "any-llm:bedrock")],
)
def test_providers_under_other_names(named: str, called: str) -> None:
    made = migrated({"name": "x", "provider": named})
    assert (made.entry["format"], made.entry["provider"]) == ("api", called)
    (field,) = [one for one in made.fields if one.path == "provider"]
    assert named in field.note


def test_the_provider_of_a_file_is_put_aside() -> None:
    made = migrated(old(provider="local"))
    assert "provider" not in made.entry
    assert made.entry["_unmapped"] == {"provider": "local"}
    assert fates(made)["provider"] == (Fate.KEPT, "_unmapped.provider")


def test_the_name_beside_an_id_and_a_name_to_show_is_put_aside() -> None:
    made = migrated(old(id="i", name="n", displayName="D", _unmapped={"x": 1}))
    assert (made.entry["id"], made.entry["name"]) == ("i", "D")
    assert made.entry["_unmapped"] == {"x": 1, "name": "n"}
    assert next(reversed(made.entry)) == "_unmapped"


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        ({"type": "GGUF", "path": "m"}, "gguf"),
        ({"format": "huggingface", "source": "gpt2"}, "hf"),
        ({"path": "m.GGUF"}, "gguf"),
        ({"source": "ollama://llama2"}, "gguf"),
        ({"path": "m.gguf", "provider": "local"}, "gguf"),
    ],
)
def test_formats(record: dict[str, Any], kind: str) -> None:
    assert migrated({"name": "m", **record}).entry["format"] == kind


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"name": "m", "type": "ggml", "path": "m.bin"}, "format that cannot be run here: 'ggml'"),
        ({"name": "m", "type": "bin", "path": "m.gguf"}, "'bin'"),
        ({"name": "m", "path": "m.onnx"}, "does not say of which format"),
        ({"name": "", "id": None, "path": "m.gguf"}, "neither a name nor an id"),
        ({"name": "m", "type": "gguf", "path": ""}, "neither a source nor a provider"),
        ({"name": "m", "type": "gguf", "provider": "openai"}, "has no source"),
        ({"name": "m", "type": "api", "path": "m"}, "no provider"),
        ({"name": "m", "provider": "azure-openai", "path": "d"}, "endpoint.base_url"),
        ([], "no object"),
    ],
)
def test_obstacles(record: object, reason: str) -> None:
    assert reason in obstacle(record)


def test_an_api_at_an_address_that_is_told() -> None:
    endpoint = {"baseUrl": "https://x.openai.azure.com"}
    record = {"name": "m", "provider": "azure", "path": "d", "endpoint": endpoint}
    assert migrated(record).entry["provider"] == "azure-openai"


@pytest.mark.parametrize(
    ("record", "places"),
    [
        (old(format="hf"), (r"models\[0\]\.format: 'hf'", r"models\[0\]\.type")),
        (old(source="n.gguf"), (r"models\[0\]\.source: 'n.gguf'", r"models\[0\]\.path")),
        (
            old(source="https://u:secret@h/n.gguf"),
            (r"models\[0\]\.source: 'https://…@h/n.gguf'", r"models\[0\]\.path"),
        ),
        (
            old(context_length=1, config={"contextLength": 2}),
            (r"models\[0\]\.context_length: 1", r"models\[0\]\.config\.contextLength"),
        ),
        (
            old(speed=0, performance={"tokensPerSecond": 1}),
            (r"models\[0\]\.speed: 0", r"models\[0\]\.performance\.tokensPerSecond"),
        ),
        (old(config="x"), (r"models\[0\]\.config: 'x'", "an object")),
        (old(_unmapped=[1]), (r"models\[0\]\._unmapped: \[1\]", "an object")),
    ],
)
def test_two_values_of_one_setting_are_refused_with_both_places(
    record: dict[str, Any], places: tuple[str, str]
) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{places[0]} is not allowed; .*{places[1]}"):
        migrated_model("models[0]", record)


def test_a_null_makes_room_for_the_old_value() -> None:
    made = migrated(old(context_length=4096, config={"contextLength": None, "top_k": 4, "x": 1}))
    assert made.entry["config"] == {"contextLength": 4096, "topK": 4, "x": 1, "temperature": 0.7}
    assert fates(made)["config.top_k"] == (Fate.MAPPED, "config.topK")
    assert fates(made)["config.x"] == (Fate.KEPT, "config.x")
    assert fates(made)["config.contextLength"] == (Fate.UNMAPPED, "")
    assert fates(made)["context_length"] == (Fate.MAPPED, "config.contextLength")


def test_unknown_keys_stay_and_what_may_be_a_key_is_told_without_it() -> None:
    made = migrated(old(license="MIT", tags=["x"], apiKey="sk-secret", x_api_key="k", tokens=5))
    assert made.entry["license"] == "MIT"
    assert made.entry["apiKey"] == "sk-secret"
    assert fates(made)["tags[0]"] == (Fate.MAPPED, "tags[0]")
    assert fates(made)["license"] == (Fate.KEPT, "license")
    assert [note.partition(":")[0] for note in made.notes] == [
        "models[0].apiKey",
        "models[0].x_api_key",
    ]
    assert "sk-secret" not in str(made.notes)


def test_the_old_record_is_not_touched() -> None:
    record = old(performance={"a": 1}, parameters={"x": {"y": 1}}, speed=1)
    migrated(record)
    assert record == old(performance={"a": 1}, parameters={"x": {"y": 1}}, speed=1)


def test_keys_in_clear_are_named_wherever_they_stand() -> None:
    old = {
        "name": "m",
        "type": "api",
        "provider": "openai",
        "api_key": "hush",
        "parameters": {"apiKey": "hush", "max_tokens": 5, "password": ""},
        "headers": {"Authorization": "hush"},
        "endpoint": {"apiKey": "env:OPENAI_API_KEY"},
    }
    made = migrated_model("models[0]", old)
    told = [note.partition(": ")[0] for note in made.notes if "a key in clear" in note]
    places = ("api_key", "parameters.apiKey", "headers.Authorization")
    assert told == [f"models[0].{place}" for place in places]
    assert "hush" not in str(made.notes)


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({"model": "gpt-4-turbo"}, "gpt-4-turbo"),
        ({"modelId": "gpt-4-turbo"}, "gpt-4-turbo"),
        ({"config": {"model": "gpt-4-turbo"}}, "gpt-4-turbo"),
        ({"parameters": {"model_id": "gpt-4-turbo", "top_p": 1}}, "gpt-4-turbo"),
        ({"source": "gpt-4o", "model": "gpt-4-turbo"}, "gpt-4o"),
    ],
)
def test_the_model_that_a_provider_is_asked_for(said: dict[str, Any], asked: str) -> None:
    old = {"name": "my-gpt4", "type": "api", "provider": "openai", **said}
    made = migrated_model("models[0]", old)
    assert made.entry["source"] == asked
    assert not any("is asked for" in note for note in made.notes)


def test_a_provider_that_is_asked_for_the_id_is_told() -> None:
    old = {"name": "openai-gpt35", "type": "api", "provider": "openai", "parameters": {"top_p": 1}}
    made = migrated_model("models[0]", old)
    assert "source" not in made.entry
    assert any("is asked for 'openai-gpt35'" in note for note in made.notes)


def test_numbers_in_quotes_are_numbers() -> None:
    old = {
        "name": "m",
        "path": "m.gguf",
        "context_length": "64",
        "default_temperature": "0.5",
        "parameters": {"top_k": "40", "max_new_tokens": "7", "stop": "3"},
        "config": {"topP": "0.9", "seed": "many"},
    }
    made = migrated_model("models[0]", old)
    assert made.entry["config"] == {
        "topP": 0.9,
        "seed": "many",
        "contextLength": 64,
        "temperature": 0.5,
        "topK": 40,
        "maxTokens": 7,
        "stop": ["3"],
    }


@pytest.mark.parametrize(
    "source", ["s3://b/x.gguf", "http://example.com/x.gguf", "hf://x", "ollama://", "hf://a/b@"]
)
def test_sources_of_no_kind_are_an_obstacle(source: str) -> None:
    assert "has a source that is none here" in obstacle(
        {"name": "m", "path": source, "type": "gguf"}
    )


@pytest.mark.parametrize("source", ["C:\\models\\m.gguf", "../m.gguf", "hf://a/b", "m.gguf"])
def test_other_sources_are_none(source: str) -> None:
    assert obstacle({"name": "m", "path": source, "type": "gguf"}) == ""
