from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.checkpoints.fields import Fields
from llm_runner_router.checkpoints.special_tokens import Affixes, end_tokens, special_metadata
from llm_runner_router.errors import ModelFileError, UnsupportedError

IDS = {"<s>": 1, "</s>": 2, "<eot>": 3, "<eom>": 4, "<pad>": 5}
NONE = Affixes(add_bos=False, add_eos=False)


def metadata(ends: tuple[int, ...], **settings: Any) -> dict[str, Any]:
    found = special_metadata(IDS, Fields("tokenizer_config.json", settings), ends, NONE)
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


def test_a_token_that_there_is_not_is_not_put_before_texts() -> None:
    assert metadata((), add_bos_token=True)["add_bos_token"] is False
    assert metadata((), add_bos_token=True, bos_token="<s>")["add_bos_token"] is True
    with pytest.raises(ModelFileError, match="bos_token"):
        metadata((), bos_token=3)
    with pytest.raises(ModelFileError, match="add_bos_token"):
        metadata((), add_bos_token="yes")


def test_end_tokens() -> None:
    config = Fields("config.json", {"eos_token_id": 7})
    assert end_tokens(config, Fields("generation_config.json", {})) == (7,)
    assert end_tokens(config, Fields("generation_config.json", {"eos_token_id": [3, 2, 3]})) == (
        3,
        2,
    )
    for wrong in ("2", [True], -1, [1 << 40], {}):
        with pytest.raises(ModelFileError, match="eos_token_id"):
            end_tokens(Fields("c", {"eos_token_id": wrong}), Fields("g", {}))
