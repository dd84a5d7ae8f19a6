"""``pipeline.tokenizer``: what programs ask of it besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from llm_runner_router.checkpoints.special_tokens import SPECIAL_TOKENS
from llm_runner_router.compat.transformers.inputs import message_of
from llm_runner_router.compat.transformers.vocabularies import Vocabulary
from llm_runner_router.errors import InvalidRequestError, UnsupportedError
from llm_runner_router.prompt import ChatTemplate, ChatTemplateError

THERE_IS = (
    "encode, decode, convert_tokens_to_ids, apply_chat_template, chat_template, "
    f"{', '.join(SPECIAL_TOKENS)}, and the latter with _id"
)


class PipelineTokenizer:
    """The tokenizer of a pipeline's model, to read. It gives what that of Transformers gives.

    ``special_tokens`` are their texts by names such as ``eos_token``; ``None`` where they are not
    known here. They and their ids are attributes, of the same names and with ``_id`` behind them.
    Arguments that are not known here are refused by name. RouterErrors.
    """

    eos_token: str | None
    eos_token_id: int | None
    bos_token: str | None
    bos_token_id: int | None
    pad_token: str | None
    pad_token_id: int | None
    unk_token: str | None
    unk_token_id: int | None

    def __init__(self, vocabulary: Vocabulary, special_tokens: Mapping[str, str] | None) -> None:
        self._vocabulary = vocabulary
        self._special_tokens = special_tokens

    def encode(self, text: str, *, add_special_tokens: bool = True, **other: object) -> list[int]:
        """The tokens of a text."""
        refuse("encode", other)
        if not isinstance(text, str):
            raise InvalidRequestError("text", text, "a text")
        return list(self._vocabulary.ids(text, add_special=add_special_tokens))

    def decode(
        self, token_ids: int | Sequence[int], *, skip_special_tokens: bool = False, **other: object
    ) -> str:
        """The text of one token, or of several."""
        refuse("decode", other)
        ids = [token_ids] if isinstance(token_ids, int) else list(token_ids)
        if not all(type(token) is int and token >= 0 for token in ids):
            raise InvalidRequestError("token_ids", token_ids, "ids of tokens")
        return self._vocabulary.text(ids, skip_special=skip_special_tokens)

    def convert_tokens_to_ids(self, tokens: str | list[str]) -> Any:  # noqa: ANN401 - as the input
        """The id of a token, or those of a list; of what is none, that of the unknown one."""
        if isinstance(tokens, list):
            return [self.convert_tokens_to_ids(token) for token in tokens]
        found = self._vocabulary.id_of(tokens)
        unknown = self._text_of("unk_token") if found is None else None
        return found if unknown is None else self._vocabulary.id_of(unknown)

    @property
    def chat_template(self) -> str | None:
        """In Jinja; ``None`` where there is none."""
        return self._vocabulary.template()

    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        tokenize: bool = True,
        add_generation_prompt: bool = False,
        return_dict: bool = True,
        **other: object,
    ) -> Any:  # noqa: ANN401 - as in Transformers
        """A chat as the model sees it: a text, or its tokens as ``input_ids``."""
        refuse("apply_chat_template", other)
        text = self._rendered(conversation, add_generation_prompt=add_generation_prompt)
        if not tokenize:
            return text
        ids = self.encode(text, add_special_tokens=False)
        return {"input_ids": ids, "attention_mask": [1] * len(ids)} if return_dict else ids

    def _rendered(self, conversation: object, *, add_generation_prompt: bool) -> str:
        messages = messages_of(conversation)
        source = self.chat_template
        if source is None:
            raise UnsupportedError("tokenizer: the model has no chat template")
        marks = {name: self._text_of(name) or "" for name in ("bos_token", "eos_token")}
        try:
            template = ChatTemplate(source, **marks)
            return template.render(messages, add_generation_prompt=add_generation_prompt)
        except ChatTemplateError as error:
            raise InvalidRequestError("conversation", conversation, str(error)) from None

    def _text_of(self, name: str) -> str | None:
        if self._special_tokens is None:
            raise UnsupportedError(
                f"tokenizer: {name} is not known: the record keeps nothing of a checkpoint; pull "
                "the model again, or name its folder"
            )
        return self._special_tokens.get(name)

    def __getattr__(self, name: str) -> str | int | None:
        token = name.removesuffix("_id")
        if token not in SPECIAL_TOKENS:
            raise AttributeError(f"tokenizer.{name} is not to be had here; there is: {THERE_IS}")
        text = self._text_of(token)
        return text if text is None or token == name else self._vocabulary.id_of(text)

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """UnsupportedError: there are no tensors here."""
        raise UnsupportedError("tokenizer(…) is not to be had here: use tokenizer.encode(text)")


def refuse(method: str, arguments: Mapping[str, object]) -> None:
    """UnsupportedError names the first argument that says anything."""
    for name, value in arguments.items():
        if value is not None and value is not False:
            raise UnsupportedError(f"tokenizer.{method}: {name} is not to be had here")


def messages_of(conversation: object) -> Sequence[Mapping[str, str]]:
    """One chat, as templates take it."""
    if not isinstance(conversation, list) or not conversation:
        raise InvalidRequestError("conversation", conversation, "the messages of one chat")
    named = [message_of(f"conversation[{i}]", m) for i, m in enumerate(conversation)]
    return [{"role": str(message.role), "content": message.content} for message in named]
