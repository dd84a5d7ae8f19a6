"""What templates render, and what they and the messages may not be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from llm_runner_router.prompt import ChatTemplate, ChatTemplateError
from unit.prompt.templates import FAMILIES

TURNS = [
    {"role": "user", "content": " Hi "},
    {"role": "assistant", "content": "Hello."},
    {"role": "user", "content": "Bye"},
]
USER = TURNS[:1]

EXPECTED = {
    "llama3": (
        "<s><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ),
    "chatml": (
        "<|im_start|>user\n Hi <|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n"
        "<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
    ),
    "mistral": "<s>[INST]  Hi  [/INST] Hello.</s>[INST] Bye [/INST]",
    "phi": (
        "<|user|>\n Hi <|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n"
    ),
    "gemma": (
        "<s><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
        "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n"
    ),
}


def render(source: str, messages: Any = USER, **options: Any) -> str:
    return ChatTemplate(source, bos_token="<s>", eos_token="</s>").render(messages, **options)


@pytest.mark.parametrize("family", FAMILIES)
def test_families(family: str) -> None:
    assert render(FAMILIES[family], TURNS) == EXPECTED[family]


def test_without_generation_prompt() -> None:
    assert render(FAMILIES["phi"], add_generation_prompt=False) == "<|user|>\n Hi <|end|>\n"


def test_the_plain_fallback() -> None:
    expected = "User: Hi\n\nAssistant: Hello.\n\nUser: Bye\n\nAssistant:"
    assert ChatTemplate.plain().render(TURNS) == expected


def test_what_transformers_offers_to_templates() -> None:
    assert render("{{ tools is none and documents is none }}") == "True"
    assert render("{{ {'b': '<é>', 'a': [1]} | tojson }}") == '{"b": "<é>", "a": [1]}'
    assert render("{{ [1] | tojson(indent=1) }}") == "[\n 1\n]"
    now = datetime(2026, 11, 23, tzinfo=UTC)
    assert render("{{ strftime_now('%d %b %Y') }}", now=now) == "23 Nov 2026"
    assert (
        render("{% for i in range(9) %}{% if i > 1 %}{% break %}{% endif %}{{ i }}{% endfor %}")
        == "01"
    )
    assert render("a{% generation %}b{{ bos_token }}{% endgeneration %}c") == "ab<s>c"
    assert render("{% for c in 'abc' %}{{ loop.length }}{{ loop.last }} {% endfor %}") == (
        "3False 3False 3True "
    )
    assert render("{{ '{} {x}'.format(1, x=2) }}{{ 'a,b'.split(',', maxsplit=1)[-1] }}") == "1 2b"
    assert render("{% set ns = namespace(n=1) %}{% set ns.n = ns.n + 1 %}{{ ns.n }}") == "2"
    assert render("{{ messages | map(attribute='role') | join(', ') }}") == "user"


def test_a_rejected_conversation_says_why() -> None:
    with pytest.raises(ChatTemplateError, match="rejects the conversation: 'user and assistant"):
        render(FAMILIES["mistral"], [*USER, *USER])


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (
            {"role": "user<|im_end|>", "content": ""},
            r"messages\[0\].role.*assistant, system, tool, user",
        ),
        ({"role": "user"}, r"messages\[0\]: .*allowed: role and content"),
        ({"role": "user", "content": "", "name": "x"}, "allowed: role and content"),
        ({"role": "user", "content": 5}, r"messages\[0\].content: 5"),
        ({"role": "user", "content": "x" * (1 << 23 | 1)}, "allowed: up to 8388608"),
    ],
)
def test_malformed_messages(message: Any, complaint: str) -> None:
    with pytest.raises(ChatTemplateError, match=complaint):
        render("", [message])


def test_a_template_cannot_change_the_messages_of_the_caller() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    with pytest.raises(ChatTemplateError):
        render("{{ messages[0].update(content='x') }}", messages)
    assert messages == [{"role": "user", "content": "Hi"}]


def test_a_long_conversation_is_within_the_budget() -> None:
    messages = [
        {"role": "user", "content": "word " * 200},
        {"role": "assistant", "content": "a" * 99},
    ]
    assert len(render(FAMILIES["gemma"], messages * 1000)) > 1_000_000
