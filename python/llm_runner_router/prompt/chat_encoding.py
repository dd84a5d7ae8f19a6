"""A conversation to token ids: control tokens from the template, never from the contents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from llm_runner_router.prompt.chat_template import ChatTemplate
from llm_runner_router.prompt.content_guard import ContentGuard, ControlTexts


class ChatTokenizer(Protocol):
    """What encoding a conversation needs of a tokenizer."""

    @property
    def bos_id(self) -> int | None:
        """The token that begins a text."""
        ...

    @property
    def add_bos(self) -> bool:
        """Whether prompts begin with it."""
        ...

    def control_texts(self) -> list[str]:
        """The texts of all control tokens."""
        ...

    def find_control(self, text: str) -> list[tuple[int, int]]:
        """Where ``text`` spells control tokens: (start, end)."""
        ...

    def encode_segments(
        self, segments: Iterable[tuple[str, bool]], *, add_special: bool = True
    ) -> list[int]:
        """The ids of ``(text, trusted)`` segments; control tokens in trusted ones only."""
        ...


class ChatEncoder:
    """Encodes conversations for one model. Immutable and thread-safe."""

    def __init__(self, tokenizer: ChatTokenizer, template: ChatTemplate) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._control = ControlTexts(tokenizer.control_texts(), tokenizer.find_control)

    def encode(
        self,
        messages: Sequence[Mapping[str, str]],
        *,
        add_generation_prompt: bool = True,
        now: datetime | None = None,
    ) -> list[int]:
        """The ids of the rendered conversation.

        Where no content touches the text of a control token, these are the ids of the rendered
        text as a whole, control tokens parsed. Where one does, that content stays plain text. A
        model that wants a BOS gets exactly one, whether its template writes it or not; an EOS is
        not added, because the answer follows.

        Raises:
            ChatTemplateError: as :meth:`ChatTemplate.render`.
            ValueError: the tokenizer cannot express the text.
        """
        guard = ContentGuard(self._control, self._template.source)
        guarded = [_with_content(message, guard) for message in messages]
        rendered = self._template.render(
            guarded, add_generation_prompt=add_generation_prompt, now=now
        )
        ids = self._tokenizer.encode_segments(guard.segments(rendered), add_special=False)
        bos = self._tokenizer.bos_id
        if self._tokenizer.add_bos and bos is not None and ids[:1] != [bos]:
            ids.insert(0, bos)
        return ids


def encode_chat(
    tokenizer: ChatTokenizer,
    template: ChatTemplate,
    messages: Sequence[Mapping[str, str]],
    *,
    add_generation_prompt: bool = True,
    now: datetime | None = None,
) -> list[int]:
    """:meth:`ChatEncoder.encode` for once; keep a ChatEncoder where there are many."""
    encoder = ChatEncoder(tokenizer, template)
    return encoder.encode(messages, add_generation_prompt=add_generation_prompt, now=now)


def _with_content(message: Mapping[str, str], guard: ContentGuard) -> Mapping[str, str]:
    content = message.get("content")
    if not isinstance(content, str):  # the template's own check says what is wrong with it
        return message
    return {**message, "content": guard.protect(content)}
