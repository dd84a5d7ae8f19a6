"""Requests to the token ids of their prompts, for one model."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from llm_runner_router.errors import InvalidRequestError, ModelFileError
from llm_runner_router.prompt import ChatEncoder, ChatTemplate, ChatTemplateError
from llm_runner_router.tokenizer import Tokenizer, TokenizerError
from llm_runner_router.types import Message, Request, Role

TEMPLATE_KEY = "tokenizer.chat_template"

logger = logging.getLogger(__name__)


class PromptEncoder:
    """Immutable and thread-safe.

    Special tokens are parsed in raw prompts only; what people say never becomes one.
    """

    def __init__(self, tokenizer: Tokenizer, metadata: Mapping[str, object]) -> None:
        """A template that cannot be used fails the requests that need it, not the model."""
        self._tokenizer = tokenizer
        self._has_template = TEMPLATE_KEY in metadata
        self._chat: ChatEncoder | None = None
        self._template_error = ""
        try:
            self._chat = ChatEncoder(tokenizer, template_of(tokenizer, metadata))
        except ChatTemplateError as error:
            self._template_error = str(error)
            logger.warning("conversations with this model will fail: %s", error)

    def encode(self, request: Request) -> list[int]:
        """The prompt of ``request``, with a BOS where the model wants one."""
        try:
            if request.prompt is None:
                return self._conversation(request.messages)
            if request.raw or not self._has_template:
                return self._text(request.prompt, parse_special=request.raw)
            return self._conversation([Message(Role.USER, request.prompt)])
        except TokenizerError as error:
            field = "messages" if request.prompt is None else "prompt"
            raise InvalidRequestError(field, error.value, error.allowed) from None

    def _text(self, text: str, *, parse_special: bool) -> list[int]:
        """``text`` as it is. No EOS: the answer follows."""
        ids = self._tokenizer.encode(text, add_special=False, parse_special=parse_special)
        bos = self._tokenizer.bos_id
        if self._tokenizer.add_bos and bos is not None and ids[:1] != [bos]:
            ids.insert(0, bos)
        return ids

    def _conversation(self, messages: Sequence[Message]) -> list[int]:
        if self._chat is None:
            raise ModelFileError(f"{TEMPLATE_KEY}: {self._template_error}")
        turns = [{"role": message.role.value, "content": message.content} for message in messages]
        try:
            return self._chat.encode(turns)
        except ChatTemplateError as error:
            allowed = f"a conversation that the model's chat template accepts ({error})"
            raise InvalidRequestError(
                "messages", [turn["role"] for turn in turns], allowed
            ) from None


def template_of(tokenizer: Tokenizer, metadata: Mapping[str, object]) -> ChatTemplate:
    """The model's own template, or the plain one."""
    if TEMPLATE_KEY not in metadata:
        return ChatTemplate.plain()
    source = metadata[TEMPLATE_KEY]
    if not isinstance(source, str):
        raise ChatTemplateError("is no text")
    return ChatTemplate(
        source,
        bos_token=spelled(tokenizer, tokenizer.bos_id),
        eos_token=spelled(tokenizer, tokenizer.eos_id),
    )


def spelled(tokenizer: Tokenizer, token: int | None) -> str:
    """A token's text, empty where there is none."""
    return "" if token is None else tokenizer.token_text(token)
