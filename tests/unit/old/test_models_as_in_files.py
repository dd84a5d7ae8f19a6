"""A model means the same whether a program of v1.0 adds it or a file of v1.0 is migrated."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from llm_runner_router.migrate.model_entry import migrated_model, obstacle
from llm_runner_router.model_mappings import record_of_mapping
from llm_runner_router.old.model_names import OTHER_SETTINGS
from llm_runner_router.old.models import renamed_model
from llm_runner_router.registry.checks.model import checked_record
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.registry_file import model_of

NAMES = st.text("abcde", min_size=1, max_size=3)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "contextLength": st.sampled_from([1, 2048, "64"]),
    "maxTokens": st.sampled_from([1, "50"]),
    "repeatPenalty": st.sampled_from([1.1, "1.5", 1]),
    "stop": st.sampled_from(["x", ["x", "y"]]),
    "gpuLayers": st.sampled_from([0, -1, "3"]),
    "system": st.sampled_from(["7", "You are kind."]),
}
PARAMETERS = st.lists(
    st.sampled_from(sorted(OTHER_SETTINGS)), unique_by=OTHER_SETTINGS.__getitem__, max_size=6
).flatmap(
    lambda names: st.fixed_dictionaries({name: VALUES[OTHER_SETTINGS[name]] for name in names})
)
FILES = st.fixed_dictionaries(
    {"path": st.sampled_from(["./models/a.gguf", "b.gguf"])},
    optional={"type": st.sampled_from(["gguf", "GGUF", ""])},
)
NAMED = st.fixed_dictionaries(
    {"path": st.just("b.gguf"), "type": st.just("gguf"), "provider": st.sampled_from(["local", ""])}
)
CHECKPOINTS = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["gpt2", "hf://org/repo"]),
        "type": st.sampled_from(["huggingface", "HF"]),
    }
)
PROVIDERS = st.fixed_dictionaries(
    {"provider": st.sampled_from(["openai", "OpenAI", "cohere"])},
    optional={"type": st.just("api")},
)
ASKED = st.sampled_from([{}, {"path": "gpt-5"}, {"model": "gpt-4"}])
PLACES = FILES | NAMED | CHECKPOINTS | st.builds(lambda one, other: one | other, PROVIDERS, ASKED)
OTHERS = st.fixed_dictionaries(
    {"name": NAMES, "default_temperature": st.sampled_from([0, 0.7, "0.5"])},
    optional={
        "id": NAMES | st.just(""),
        "displayName": NAMES | st.just(""),
        "parameters": PARAMETERS,
        "capabilities": st.just(["chat"]),
        "speed": st.sampled_from([0, 12.5]),
        "memory": st.sampled_from([0, "4GB"]),
    },
)
MODELS = st.builds(lambda one, other: one | other, PLACES, OTHERS)


def in_a_file(old: dict[str, Any]) -> ModelRecord:
    return checked_record(model_of("models[0]", migrated_model("models[0]", old).entry, {}))


def in_a_program(old: dict[str, Any]) -> ModelRecord:
    return checked_record(record_of_mapping(renamed_model(old).values, None, {}))


@given(MODELS)
@example({"name": "m", "path": "a.gguf", "type": "GGUF", "default_temperature": 0})
@example({"name": "g", "type": "api", "provider": "OpenAI", "default_temperature": "0.5"})
def test_a_program_says_what_a_file_says(old: dict[str, Any]) -> None:
    assert obstacle(old) == ""
    assert in_a_program(old) == in_a_file(old)


def test_only_a_file_gets_the_temperature_of_older_versions() -> None:
    old = {"name": "m", "path": "a.gguf", "type": "gguf"}
    file, program = in_a_file(old), in_a_program(old)
    assert file.config.temperature == 0.7
    assert program == replace(file, config=replace(file.config, temperature=None))
