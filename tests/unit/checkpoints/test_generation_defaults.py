from __future__ import annotations

from typing import Any

from llm_runner_router.checkpoints.generation_defaults import generation_defaults
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.registry.records import ModelConfig


def defaults(values: dict[str, Any]) -> tuple[ModelConfig, list[str]]:
    return generation_defaults(GenerationSettings("config.json", values))


def test_what_has_a_counterpart_is_taken_over() -> None:
    values = {
        "temperature": 0.6,
        "top_p": 0.9,
        "top_k": 40,
        "repetition_penalty": 1.1,
        "max_new_tokens": 200,
        "do_sample": True,
        "eos_token_id": 2,
        "transformers_version": "5",
    }
    config, notes = defaults(values)
    assert config == ModelConfig(
        temperature=0.6, top_p=0.9, top_k=40, repeat_penalty=1.1, max_tokens=200
    )
    assert notes == []


def test_without_sampling_the_likeliest_token_is_taken() -> None:
    config, _ = defaults({"do_sample": False, "temperature": 0.6})
    assert config.temperature == 0.0
    assert defaults({"bos_token_id": 1})[0] == ModelConfig()


def test_the_length_of_prompt_and_answer_is_no_limit_of_answers() -> None:
    config, notes = defaults({"max_length": 50})
    assert config.max_tokens is None
    assert "prompt and answer" in notes[0]


def test_what_cannot_be_taken_over_is_told() -> None:
    values = {"temperature": 7, "top_k": "many", "num_beams": 4, "penalty_alpha": 0.6, "x": None}
    config, notes = defaults(values)
    assert config == ModelConfig()
    for name in ("temperature", "top_k", "num_beams", "penalty_alpha"):
        assert any(name in note for note in notes), name
    assert all(note.startswith("config.json: ") for note in notes)
    assert len(notes) == 4
