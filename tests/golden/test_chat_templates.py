"""Our rendering against transformers', on the templates of published models."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from golden import llama_vocabularies
from llm_runner_router.prompt import ChatTemplate, ChatTemplateError

CONVERSATIONS = [
    [{"role": "user", "content": " hi "}],
    [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "1 < 2 & 'so'\n\non"},
        {"role": "assistant", "content": "<think>\nIs it?\n</think>\n\nYes. "},
        {"role": "user", "content": "\tThanks, {{ user }}! "},
    ],
]
# Templates that transformers itself renders with tools only, or not at all.
MIN_COMPARED = 90


def reference(source: str, messages: list[dict[str, str]]) -> str | None:
    """What transformers renders; None where it raises."""
    try:
        rendered: Any = render_jinja_template(
            [messages],
            chat_template=source,
            add_generation_prompt=True,
            bos_token="<s>",
            eos_token="</s>",
        )
    except Exception:  # noqa: BLE001 - templates raise what they like
        return None
    text: str = rendered[0][0]
    return text


def test_every_template_renders_as_in_transformers() -> None:
    compared = 0
    wrong = {}
    for name, source in llama_vocabularies.chat_templates().items():
        for place, messages in enumerate(CONVERSATIONS):
            expected = reference(source, messages)
            if expected is None:
                with pytest.raises(ChatTemplateError):
                    render(source, messages)
                continue
            compared += 1
            got = render(source, messages)
            if got != expected:
                wrong[name, place] = (got, expected)
    assert not wrong
    assert compared >= MIN_COMPARED


def render(source: str, messages: list[dict[str, str]]) -> str:
    template = ChatTemplate(source, bos_token="<s>", eos_token="</s>")
    return template.render(messages, now=datetime.now().astimezone())
