"""Over the files of a checkpoint, and over a router that knows the model by its record alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.compat.transformers import pipeline
from llm_runner_router.compat.transformers.tokenizer import PipelineTokenizer
from llm_runner_router.compat.transformers.vocabularies import FolderVocabulary
from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from unit import tiny_checkpoint as tiny

CHAT = [{"role": "user", "content": "the fox"}]
TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.role }}:{{ m.content }}{% endfor %}"
NAMES = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write(
        tmp_path_factory.mktemp("checkpoint") / "tiny",
        tiny.llama_config(vocab_size=400, eos_token_id=2),
        tiny.llama_tensors(400),
        tiny.sentence_pieces(),
        tokenizer_config={**NAMES, "chat_template": TEMPLATE},
    )


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineTokenizer]:
    """Of a model by its id: its folder is not asked."""
    place = tmp_path_factory.mktemp("models")
    config = {
        "models": {"cacheDir": str(place)},
        "engine": {"threads": 1},
        "registry": {"path": str(place / "r.sqlite")},
    }
    pipeline(model=folder, config=config).close()
    with pipeline(model="tiny", config=config) as made:
        yield made.tokenizer


@pytest.fixture
def here(folder: Path) -> PipelineTokenizer:
    return PipelineTokenizer(FolderVocabulary(folder), NAMES)


def test_what_a_router_tells_is_what_the_files_say(
    here: PipelineTokenizer, served: PipelineTokenizer
) -> None:
    for found in (here, served):
        assert (found.bos_token_id, found.eos_token_id, found.unk_token_id) == (1, 2, 0)
        assert (found.eos_token, found.pad_token, found.pad_token_id) == ("</s>", None, None)
        assert found.convert_tokens_to_ids(["</s>", "<s>"]) == [2, 1]
    for text in ("the quick fox", "a</s>b", ""):
        for special in (True, False):
            ids = here.encode(text, add_special_tokens=special)
            assert ids == served.encode(text, add_special_tokens=special)
    ids = here.encode("the quick</s>")
    assert served.decode(ids, skip_special_tokens=True) == "the quick"
    assert served.decode([], skip_special_tokens=True) == ""
    assert here.decode(2) == "</s>"


def test_what_a_router_does_not_tell_is_refused(served: PipelineTokenizer) -> None:
    with pytest.raises(UnsupportedError, match="skip_special_tokens=True"):
        served.decode([1])
    with pytest.raises(UnsupportedError, match="the messages themselves"):
        served.apply_chat_template(CHAT)
    with pytest.raises(UnsupportedError, match="not special"):
        served.convert_tokens_to_ids("the")  # one token, but that of "▁the"
    bare = PipelineTokenizer(served._vocabulary, None)
    with pytest.raises(UnsupportedError, match=r"eos_token is not known.*pull the model again"):
        _ = bare.eos_token_id
    assert bare.encode("the") == served.encode("the")


def test_chats(here: PipelineTokenizer) -> None:
    assert here.apply_chat_template(CHAT, tokenize=False) == "<s>user:the fox"
    ids = here.encode("<s>user:the fox", add_special_tokens=False)
    assert here.apply_chat_template(CHAT, return_dict=False) == ids
    assert here.apply_chat_template(CHAT)["attention_mask"] == [1] * len(ids)
    wrong: Any
    for wrong in ([], "a", [CHAT], [{"role": "robot", "content": "a"}]):
        with pytest.raises(InvalidRequestError, match="conversation"):
            here.apply_chat_template(wrong)


def test_templates_that_are_not_there_or_fail(tmp_path: Path) -> None:
    tokenizer = PipelineTokenizer(FolderVocabulary(tiny.write(tmp_path)), {})
    assert tokenizer.chat_template is None
    with pytest.raises(UnsupportedError, match="no chat template"):
        tokenizer.apply_chat_template(CHAT)
    (tmp_path / "chat_template.jinja").write_text("{{ raise_exception('no') }}")
    with pytest.raises(InvalidRequestError, match="rejects the conversation"):
        tokenizer.apply_chat_template(CHAT)


def test_what_there_is_not_is_refused_by_name(here: PipelineTokenizer) -> None:
    with pytest.raises(AttributeError, match=r"tokenizer.batch_decode .* encode, decode"):
        _ = here.batch_decode
    assert not hasattr(here, "pad")
    with pytest.raises(UnsupportedError, match=r"tokenizer.encode"):
        here("the")
    with pytest.raises(UnsupportedError, match="encode: return_tensors"):
        here.encode("the", return_tensors="pt")
    with pytest.raises(UnsupportedError, match="tools"):
        here.apply_chat_template(CHAT, tools=[{}])
    assert here.encode("the", truncation=False, return_tensors=None) == here.encode("the")
    wrong: Any
    for wrong in (["a"], None):
        with pytest.raises(InvalidRequestError, match="text"):
            here.encode(wrong)
    for wrong in (["a"], True, -1):
        with pytest.raises(InvalidRequestError, match="token_ids"):
            here.decode(wrong)


def test_the_end_of_a_pipeline_by_its_tokenizer(folder: Path, tmp_path: Path) -> None:
    """As programs say it."""
    config = {"models": {"cacheDir": str(tmp_path)}, "engine": {"threads": 1}}
    with pipeline(model=folder, config=config) as generator:
        eos = generator.tokenizer.eos_token_id
        ends = [eos, generator.tokenizer.convert_tokens_to_ids("<s>")]
        assert generator("the", pad_token_id=eos, eos_token_id=ends, max_new_tokens=2)
