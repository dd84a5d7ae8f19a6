"""Texts of LangChain's templates: what we make of them says what LangChain says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.prompts import PromptTemplate as LangChainTemplate

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.template_text import names_of, pieces_of, written
from llm_runner_router.prompt.prompt_template import expand, variables_of
from llm_runner_router.registry.records import PromptTemplate

NAMES = st.sampled_from(["a", "question", "_x1"])
TEXTS = st.text(st.sampled_from("ab {}\n%\"'<&é"), min_size=1, max_size=6)
PIECES = st.lists(st.one_of(TEXTS.map(lambda text: (text, False)), NAMES.map(lambda n: (n, True))))
VALUES = st.fixed_dictionaries({name: st.text(max_size=5) for name in ("a", "question", "_x1")})


def ours(template: str, language: str, values: dict[str, str]) -> str:
    pieces = pieces_of("t", template, language)
    assert variables_of(written(pieces)) == names_of(pieces)
    used = {name: values[name] for name in names_of(pieces)}
    return expand(PromptTemplate("t", written(pieces)), used)


def theirs(template: str, language: Any, values: dict[str, str]) -> str:
    prompt = LangChainTemplate.from_template(template, template_format=language)
    return prompt.format(**values)


@given(PIECES, VALUES)
def test_f_strings_say_the_same(pieces: list[tuple[str, bool]], values: dict[str, str]) -> None:
    template = "".join(
        f"{{{text}}}" if is_name else text.replace("{", "{{").replace("}", "}}")
        for text, is_name in pieces
    )
    assert ours(template, "f-string", values) == theirs(template, "f-string", values)


@given(PIECES, VALUES)
def test_jinja_says_the_same(pieces: list[tuple[str, bool]], values: dict[str, str]) -> None:
    template = "".join(
        f"{{{{ {text} }}}}" if is_name else text.replace("{", "(").replace("}", ")")
        for text, is_name in pieces
    )
    assert ours(template, "jinja2", values) == theirs(template, "jinja2", values)


@given(PIECES, VALUES)
def test_mustache_says_the_same(pieces: list[tuple[str, bool]], values: dict[str, str]) -> None:
    template = "".join(
        f"{{{{{{{text}}}}}}}" if is_name else text.replace("{", "(").replace("}", ")")
        for text, is_name in pieces
    )
    assert ours(template, "mustache", values) == theirs(template, "mustache", values)


def test_all_forms_of_a_mustache_variable() -> None:
    pieces = pieces_of("t", "{{a}} {{ b }} {{{c}}} {{& d}} {x}", "mustache")
    assert written(pieces) == "{a} {b} {c} {d} {{x}}"


@pytest.mark.parametrize(
    ("template", "language"),
    [
        ("{x!r}", "f-string"),
        ("{x:>10}", "f-string"),
        ("{x.y}", "f-string"),
        ("{x[0]}", "f-string"),
        ("{}", "f-string"),
        ("{0}", "f-string"),
        ("{x", "f-string"),
        ("x}", "f-string"),
        ("{ünï}", "f-string"),
        ("{{#items}}x{{/items}}", "mustache"),
        ("{{> other}}", "mustache"),
        ("{{! remark }}", "mustache"),
        ("{{=<% %>=}}", "mustache"),
        ("{{a.b}}", "mustache"),
        ("{{1}}", "mustache"),
        ("{{ x | upper }}", "jinja2"),
        ("{{ x.y }}", "jinja2"),
        ("{{ 1 + 1 }}", "jinja2"),
        ("{% if x %}y{% endif %}", "jinja2"),
        ("{% include 'x' %}", "jinja2"),
        ("{{ x", "jinja2"),
        ("{{ cycler.__init__.__globals__ }}", "jinja2"),
        ("x", "liquid"),
        ("x", None),
        (None, "f-string"),
        ("x" * 1_000_001, "f-string"),
    ],
)
def test_what_does_more_than_insert_is_refused(template: object, language: object) -> None:
    with pytest.raises(InvalidRequestError, match=r"^here"):
        pieces_of("here", template, language)
