from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.checkpoints.pipeline_settings import LABEL, MAX_LETTERS, PipelineSettings
from llm_runner_router.registry.checks.model import MAX_LABEL_VALUE
from unit import tiny_checkpoint as tiny

GENERATION = {"max_length": 17, "eos_token_id": [161, 299], "top_k": 7, "penalty_alpha": 0.6}
NAMES = {"bos_token": tiny.END, "eos_token": tiny.END}


def settings(folder: Path, **generation: object) -> PipelineSettings:
    return PipelineSettings.of(tiny.write(folder, generation_config=generation))


def test_a_label_brings_back_what_a_checkpoint_says(tmp_path: Path) -> None:
    found = settings(tmp_path, **GENERATION)
    assert found.generation == {"max_length": 17, "top_k": 7, "eos_token_id": [161, 299]}
    assert found.special_tokens == NAMES
    assert PipelineSettings.of_labels({"team": "a", **found.labels()}) == found


def test_the_tokens_that_end_an_answer_may_stand_in_the_configuration(tmp_path: Path) -> None:
    assert settings(tmp_path).generation == {"eos_token_id": [0]}


def test_a_label_that_would_be_too_long_is_left_out(tmp_path: Path) -> None:
    assert MAX_LETTERS == MAX_LABEL_VALUE
    assert settings(tmp_path, stop_strings=["x" * MAX_LETTERS]).labels() == {}


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "{}", '{"generation": 3, "special_tokens": {}}', "[" * 1000]
)
def test_a_label_of_somebody_else_says_nothing(text: str) -> None:
    assert PipelineSettings.of_labels({LABEL: text}) is None
    assert PipelineSettings.of_labels({}) is None
