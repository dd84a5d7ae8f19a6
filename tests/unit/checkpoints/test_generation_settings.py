from __future__ import annotations

import json
from pathlib import Path

from llm_runner_router.checkpoints.checkpoint import Checkpoint
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from unit import tiny_checkpoint as tiny

OLD = {"repetition_penalty": 1.5, "max_length": 30, "do_sample": False, "top_k": None}


def test_the_file_for_it_counts_alone(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path, tiny.gpt2_config(**OLD), generation_config={"top_k": 7})
    assert GenerationSettings.of(folder) == GenerationSettings(
        "generation_config.json", {"top_k": 7}
    )


def test_older_checkpoints_say_it_in_their_configuration(tmp_path: Path) -> None:
    folder = tiny.write(tmp_path, tiny.gpt2_config(**OLD), tiny.gpt2_tensors())
    found = GenerationSettings.of(folder)
    assert found.file == "config.json"
    assert found.values == {
        "repetition_penalty": 1.5,
        "max_length": 30,
        "do_sample": False,
        "eos_token_id": 0,
    }
    config, notes = Checkpoint.of(folder).defaults(tiny.CONTEXT)
    assert (config.repeat_penalty, config.temperature) == (1.5, 0.0)
    assert [note.partition(" 30 ")[0] for note in notes] == ["config.json: max_length"]
    (folder / "config.json").write_text(json.dumps(tiny.gpt2_config(no_repeat_ngram_size=3)))
    _, (note,) = Checkpoint.of(folder).defaults(tiny.CONTEXT)
    assert note == "config.json: no_repeat_ngram_size has no counterpart here"
