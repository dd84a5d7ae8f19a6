"""Prompts of old registries, one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.fields import Fate
from llm_runner_router.migrate.prompt_text import migrated_text
from llm_runner_router.migrate.prompts import migrated_prompt, obstacle
from llm_runner_router.prompt.prompt_template import expand, variables_of
from llm_runner_router.registry.records import PromptTemplate


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Hello", "Hello"),
        ("Answer: {question}", "Answer: {question}"),
        ("Answer: {{question}}", "Answer: {question}"),
        ("{{ a }}{{b}} {{_c1}}", "{a}{b} {_c1}"),
        ('Say {"a": [{x}]}', 'Say {{"a": [{x}]}}'),
        ("a } b", "a }} b"),
        ('{"a": {"b": 1}} {x}', '{{"a": {{"b": 1}}}} {x}'),
        ('{{"a": 1}} {x}', '{{"a": 1}} {x}'),
    ],
)
def test_placeholders(old: str, new: str) -> None:
    text, note = migrated_text(old)
    assert text == new
    assert bool(note) == (old != new)
    variables_of(text)


@pytest.mark.parametrize(
    "text",
    [
        *("{{a}} {b}", "{{#if a}}x{{/if}}", "{% if a %}x{% endif %}", "{{{{a}}}}", "{{{a}}}"),
        *("Hi {{user.name}}", "{{user-name}}", "{{ input | trim }}", "Hi ${name}", "{{a}} {{b.c}}"),
    ],
)
def test_what_nobody_can_tell_is_no_template(text: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^format: "):
        migrated_text(text)
    assert "format" in obstacle({"name": "p", "template": text})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text("ab {}%", max_size=12))
def test_any_text_becomes_a_template_or_is_refused(text: str) -> None:
    try:
        migrated, note = migrated_text(text)
    except InvalidRequestError:
        return
    names = variables_of(migrated)
    if not note:
        assert migrated == text
    elif "{{" not in text:
        # With its variables named as they stand, the prompt is the old text.
        values = {name: f"{{{name}}}" for name in names}
        assert expand(PromptTemplate("t", migrated), values) == text


def test_a_prompt_with_everything() -> None:
    old: dict[str, Any] = {
        "id": "p",
        "name": "old-name",
        "template": "{{a}}",
        "stop_tokens": "###",
        "compatible_models": "llama",
        "description": "kept",
    }
    made = migrated_prompt("prompts[3]", old, {"llama": "llama-7b"})
    assert made.entry == {
        "id": "p",
        "name": "old-name",
        "format": "{a}",
        "stopTokens": ["###"],
        "modelCompatibility": ["llama-7b"],
        "description": "kept",
    }
    fates = {one.path: (one.fate, one.target) for one in made.fields}
    assert fates["stop_tokens"] == (Fate.MAPPED, "stopTokens[0]")
    assert fates["description"] == (Fate.KEPT, "description")
    assert made.notes == ("prompts[3].template: {{name}} is {name} here",)


def test_a_template_of_today_is_not_touched() -> None:
    entry = {"format": "{{braces}}", "id": "p", "stopTokens": None}
    made = migrated_prompt("templates[0]", entry)
    assert list(made.entry.items()) == list(entry.items())


def test_the_old_and_the_new_key_must_agree() -> None:
    with pytest.raises(InvalidRequestError, match=r"prompts\[0\]\.format: 'b'.*template"):
        migrated_prompt("prompts[0]", {"name": "p", "template": "a", "format": "b"})


@pytest.mark.parametrize(
    ("old", "reason"),
    [
        (5, "no object"),
        ({"template": "x"}, "neither a name nor an id"),
        ({"name": "p"}, "no text"),
        ({"name": "p", "template": ""}, "no text"),
        ({"name": "p", "template": 7}, "no text"),
    ],
)
def test_obstacles(old: object, reason: str) -> None:
    assert reason in obstacle(old)
