from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.generation_settings import GenerationSettings
from llm_runner_router.checkpoints.special_tokens import (
    Affixes,
    end_tokens,
    overruled,
    special_metadata,
)
from llm_runner_router.errors import ModelFileError, UnsupportedError

IDS = {"<s>": 1, "</s>": 2, "<eot>": 3, "<eom>": 4, "<pad>": 5}


def said(values: dict[str, Any]) -> GenerationSettings:
    return GenerationSettings("generation_config.json", values)


NONE = Affixes(add_bos=False, add_eos=False)


def metadata(ends: tuple[int, ...], affixes: Affixes = NONE, **settings: Any) -> dict[str, Any]:
    found = special_metadata(IDS, Fields("tokenizer_config.json", settings), ends, affixes)
    return {key.removeprefix("tokenizer.ggml."): value for key, value in found.items()}


def test_all_ends_of_generation_have_a_place() -> None:
    found = metadata((3, 2, 4), eos_token="</s>", bos_token="<s>", pad_token="<pad>")
    assert found["eos_token_id"] == 2
    assert (found["eot_token_id"], found["eom_token_id"]) == (3, 4)
    assert (found["bos_token_id"], found["padding_token_id"]) == (1, 5)
    with pytest.raises(UnsupportedError, match="eos_token_id"):
        metadata((3, 4, 5, 6), eos_token="</s>")


def test_generation_knows_better_than_the_tokenizer() -> None:
    found = metadata((3,), eos_token="</s>")
    assert (found["eos_token_id"], found["eot_token_id"]) == (3, 2)
    assert metadata((), eos_token="</s>")["eos_token_id"] == 2
    assert "eos_token_id" not in metadata(())


def test_what_is_put_behind_texts_is_the_first_of_the_ends() -> None:
    found = metadata((3,), Affixes(add_bos=False, add_eos=True), eos_token="</s>")
    assert (found["eos_token_id"], found["eot_token_id"]) == (2, 3)
    assert (found["add_bos_token"], found["add_eos_token"]) == (False, True)


def test_a_token_that_is_no_text() -> None:
    with pytest.raises(ModelFileError, match="bos_token"):
        metadata((), bos_token=3)


def test_flags_that_the_tokenizer_contradicts_are_told() -> None:
    def told(**settings: Any) -> tuple[str, ...]:
        affixes = Affixes(add_bos=True, add_eos=False)
        return overruled(Fields("tokenizer_config.json", settings), affixes)

    assert told() == told(add_bos_token=True, add_eos_token=False) == ()
    (note,) = told(add_bos_token=False)
    assert note.startswith("tokenizer_config.json: add_bos_token is false")
    (note,) = told(add_eos_token=True)
    assert note.startswith("tokenizer_config.json: add_eos_token is true")
    with pytest.raises(ModelFileError, match="add_bos_token"):
        told(add_bos_token="yes")


def test_end_tokens() -> None:
    config = Fields("config.json", {"eos_token_id": 7})
    assert end_tokens(config, said({})) == (7,)
    assert end_tokens(config, said({"eos_token_id": [3, 2, 3]})) == (
        3,
        2,
    )
    for wrong in ("2", [True], -1, [1 << 40], {}):
        with pytest.raises(ModelFileError, match="eos_token_id"):
            end_tokens(Fields("c", {"eos_token_id": wrong}), said({}))
