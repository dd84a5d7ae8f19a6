from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError, ModelFileError
from llm_runner_router.providers.prompt_encoder import TEMPLATE_KEY, PromptEncoder
from llm_runner_router.tokenizer import Tokenizer
from llm_runner_router.types import Message, Request, Role
from unit.vocabularies import bpe

TEMPLATE = (
    "{% for m in messages %}{% if m.content == 'no' %}{{ raise_exception('not that') }}{% endif %}"
    "<|start|>{{ m.role }}:{{ m.content }}<|im_end|>{% endfor %}"
)


def made(template: object | None = None, **values: Any) -> tuple[Tokenizer, PromptEncoder]:
    metadata = bpe(**values)
    if template is not None:
        metadata[TEMPLATE_KEY] = template
    tokenizer = Tokenizer.from_metadata(metadata)
    return tokenizer, PromptEncoder(tokenizer, metadata)


def shown(tokenizer: Tokenizer, ids: list[int]) -> str:
    return tokenizer.decode(ids, skip_special=False)


def special(tokenizer: Tokenizer, ids: list[int]) -> int:
    return sum(tokenizer.token_bytes()[token] == b"" for token in ids)


def test_a_prompt_is_one_user_message_where_there_is_a_template() -> None:
    tokenizer, encoder = made(TEMPLATE)
    ids = encoder.encode(Request(prompt="hello"))
    assert shown(tokenizer, ids) == "<|start|>user:hello<|im_end|>"
    assert ids == encoder.encode(Request(messages=(Message(Role.USER, "hello"),)))


def test_a_prompt_is_plain_text_where_there_is_none() -> None:
    tokenizer, encoder = made()
    assert shown(tokenizer, encoder.encode(Request(prompt="hello"))) == "hello"
    ids = encoder.encode(Request(messages=(Message(Role.USER, "hello"),)))
    assert shown(tokenizer, ids) == "User: hello\n\nAssistant:"


def test_special_tokens_are_parsed_in_raw_prompts_only() -> None:
    tokenizer, encoder = made(TEMPLATE)
    text = "<|start|>hello"
    assert special(tokenizer, encoder.encode(Request(prompt=text, raw=True))) == 1
    assert special(tokenizer, encoder.encode(Request(prompt=text))) == 2
    assert special(tokenizer, encoder.encode(Request(messages=(Message(Role.USER, text),)))) == 2
    tokenizer, encoder = made()
    assert special(tokenizer, encoder.encode(Request(prompt=text))) == 0


def test_the_model_s_bos_comes_once() -> None:
    bos = len(bpe()["tokenizer.ggml.tokens"]) - 1
    tokenizer, encoder = made(bos_token_id=bos, add_bos_token=True, add_eos_token=False)
    for text in ("hello", "<s>hello"):
        ids = encoder.encode(Request(prompt=text, raw=True))
        assert ids[0] == bos
        assert ids.count(bos) == 1
        assert shown(tokenizer, ids) == "<s>hello"


def test_an_eos_is_never_added() -> None:
    eos = len(bpe()["tokenizer.ggml.tokens"]) - 1
    _, encoder = made(eos_token_id=eos, add_eos_token=True)
    assert eos not in encoder.encode(Request(prompt="hello", raw=True))


@pytest.mark.parametrize("template", ["{% if", "{% include 'x' %}", 3])
def test_a_broken_template_fails_conversations_only(template: object) -> None:
    _, encoder = made(template)
    with pytest.raises(ModelFileError, match="chat_template"):
        encoder.encode(Request(prompt="hello"))
    assert encoder.encode(Request(prompt="hello", raw=True))


def test_a_conversation_that_the_template_rejects_is_the_caller_s_fault() -> None:
    _, encoder = made(TEMPLATE)
    with pytest.raises(InvalidRequestError, match="not that"):
        encoder.encode(Request(prompt="no"))


def test_text_that_the_vocabulary_lacks_is_the_caller_s_fault() -> None:
    values = bpe()
    tokens = ["lost" if text == "z" else text for text in values["tokenizer.ggml.tokens"]]
    _, encoder = made(tokens=tokens)
    with pytest.raises(InvalidRequestError) as caught:
        encoder.encode(Request(prompt="zebra", raw=True))
    assert caught.value.field == "prompt"
