"""Models as v1.0 described them, by the guide's tables."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.model_entry import migrated_model
from llm_runner_router.old.model_names import OLD_KEYS, OTHER_SETTINGS
from llm_runner_router.old.models import MEASURED_NOW, renamed_model
from llm_runner_router.record_fields import config_of
from llm_runner_router.registry.file_fields import CONFIG
from llm_runner_router.registry.records import ModelConfig


@pytest.mark.parametrize(
    ("given", "meant", "told"),
    [
        (
            {"name": "my-model", "path": "./models/model.gguf", "type": "gguf"},
            {"id": "my-model", "name": "my-model", "source": "./models/model.gguf"}
            | {"format": "gguf"},
            {"path": "source", "type": "format"},
        ),
        (
            {"id": "a", "name": "b", "displayName": "C", "source": "x"},
            {"id": "a", "name": "C", "source": "x"},
            {"display_name": "name"},
        ),
        (
            {"name": "m", "context_length": 8, "default_temperature": 0},
            {"id": "m", "name": "m", "config": {"context_length": 8, "temperature": 0}},
            {
                "context_length": "config.context_length",
                "default_temperature": "config.temperature",
            },
        ),
        (
            {"name": "m", "parameters": {"topP": 0.5}, "config": {"seed": 1}},
            {"id": "m", "name": "m", "config": {"seed": 1, "top_p": 0.5}},
            {"parameters": "config"},
        ),
        (
            {"name": "m", "speed": 0, "memory": 5},
            {"id": "m", "name": "m"},
            {"speed": MEASURED_NOW, "memory": MEASURED_NOW},
        ),
        (
            {"name": "m", "provider": "openai", "capabilities": ["chat"]},
            {"id": "m", "name": "m", "provider": "openai", "capabilities": ["chat"]},
            {},
        ),
        (
            {"name": "m", "type": "API", "format": "api", "provider": "Azure"},
            {"id": "m", "name": "m", "format": "api", "provider": "azure-openai"},
            {"type 'API'": "api", "type": "format", "provider 'Azure'": "azure-openai"},
        ),
        (
            {"name": "m", "parameters": {"stop_sequences": "x", "n_ctx": 64, "maxNewTokens": 5}},
            {"id": "m", "name": "m"}
            | {"config": {"stop": ["x"], "context_length": 64, "max_tokens": 5}},
            {
                "parameters": "config",
                "parameters.stop_sequences": "config.stop",
                "parameters.n_ctx": "config.context_length",
                "parameters.max_new_tokens": "config.max_tokens",
            },
        ),
        (
            {
                "name": "m",
                "context_length": "64",
                "default_temperature": "0",
                "config": {"topK": "5"},
            }
            | {"parameters": {"top_p": "0.5", "system": "7", "seed": "x"}},
            {"id": "m", "name": "m"}
            | {
                "config": {"context_length": 64, "temperature": 0, "top_k": 5, "top_p": 0.5}
                | {"system": "7", "seed": "x"}
            },
            {
                "parameters": "config",
                "context_length": "config.context_length",
                "default_temperature": "config.temperature",
            },
        ),
        (
            {"name": "m", "path": "m.gguf", "type": "gguf", "provider": "local"},
            {"id": "m", "name": "m", "source": "m.gguf", "format": "gguf"},
            {"path": "source", "type": "format", "provider": "it for models behind an API alone"},
        ),
        (
            {"id": "", "name": "m", "displayName": "", "path": "m.gguf", "source": "", "type": ""},
            {"id": "m", "name": "m", "source": "m.gguf"},
            {"path": "source"},
        ),
        (
            {"name": "m", "provider": "openai", "model": "gpt-x", "config": {"seed": 1}},
            {
                "id": "m",
                "name": "m",
                "provider": "openai",
                "source": "gpt-x",
                "config": {"seed": 1},
            },
            {"model": "source"},
        ),
        (
            {"name": "m", "provider": "openai", "parameters": {"modelId": "gpt-x", "seed": 1}},
            {
                "id": "m",
                "name": "m",
                "provider": "openai",
                "source": "gpt-x",
                "config": {"seed": 1},
            },
            {"parameters.modelId": "source", "parameters": "config"},
        ),
        (
            {"name": "m", "config": ModelConfig(seed=0), "parameters": {"stop": ["x", "y"]}},
            {"id": "m", "name": "m", "config": {"seed": 0, "stop": ["x", "y"]}},
            {"parameters": "config"},
        ),
    ],
)
def test_each_name_has_its_place(
    given: dict[str, Any], meant: dict[str, Any], told: dict[str, str]
) -> None:
    found = renamed_model(given)
    assert found.values == meant
    assert found.renamed == told


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "m", "path": "a", "source": "b"}, "path"),
        ({"name": "m", "context_length": 8, "parameters": {"contextLength": 9}}, "context_length"),
        ({"name": "m", "config": {"top_p": 1}, "parameters": {"topP": 0.5}}, "parameters.top_p"),
        ({"name": "m", "parameters": "seven"}, "parameters"),
        (
            {"name": "m", "path": "x", "provider": "p", "parameters": {"model": "y"}},
            "parameters.model",
        ),
        ({"name": "m", "parameters": {"mirostat": 2}}, "parameters.mirostat"),
        (
            {"name": "m", "parameters": {"n_ctx": 8, "contextLength": 9}},
            "parameters.context_length",
        ),
        ({"name": "m", "config": {"stop": ["x"]}, "parameters": {"stop": "y"}}, "parameters.stop"),
    ],
)
def test_what_contradicts_itself_is_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        renamed_model(given)
    assert caught.value.field == field


def test_a_format_that_means_none_is_refused_as_it_was_said() -> None:
    assert renamed_model({"name": "m", "type": "GGML"}).values["format"] == "GGML"


VALUES: dict[str, Any] = {"n_ctx": 64, "n_gpu_layers": 1, "max_new_tokens": 5}
VALUES |= dict.fromkeys(("repetition_penalty", "repetitionPenalty"), 1.5)
VALUES |= dict.fromkeys(("stop_sequences", "stopSequences", "stop_tokens"), "x")
VALUES |= dict.fromkeys(("system_prompt", "systemPrompt"), "You are kind.")


@pytest.mark.parametrize("name", OTHER_SETTINGS)
def test_a_parameter_means_in_a_program_what_it_means_in_a_file(name: str) -> None:
    old = {"name": "m", "path": "m.gguf", "type": "gguf", "default_temperature": 0.7}
    old["parameters"] = {name: VALUES[name]}
    in_a_file, rest = CONFIG.read("config", migrated_model("models[0]", old).entry["config"])
    in_a_program = config_of(renamed_model(old).values["config"])
    assert rest == {}
    assert in_a_program == ModelConfig(**{**in_a_file, "stop": in_a_program.stop})
    assert tuple(in_a_program.stop) == in_a_file.get("stop", ())


def test_every_old_key_of_a_file_is_one_of_a_program() -> None:
    old = dict.fromkeys(OLD_KEYS, "gguf") | {"name": "m", "parameters": {}}
    assert renamed_model(old).values == {
        "id": "m",
        "name": "gguf",
        "format": "gguf",
        "source": "gguf",
        "config": {"context_length": "gguf", "temperature": "gguf"},
    }
