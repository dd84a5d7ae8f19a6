"""Mustache templates, as far as they only insert variables."""

from __future__ import annotations

import re

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.prompt.prompt_template import Literal, Variable

TAG = re.compile(r"\{\{\{\s*(\w+)\s*\}\}\}|\{\{&?\s*(\w+)\s*\}\}")
ALLOWED = "variables such as {{question}} alone: no sections, partials, comments or delimiters"


def mustache(path: str, template: str) -> list[Literal | Variable]:
    """The pieces of a template; InvalidRequestError where it does more than insert texts.

    Mustache writes ``<``, ``>``, ``"`` and ``&`` of a value as HTML does; here they stay.
    """
    pieces: list[Literal | Variable] = []
    end = 0
    for tag in TAG.finditer(template):
        pieces += literal(path, template[end : tag.start()])
        pieces.append(Variable(tag[1] or tag[2]))
        end = tag.end()
    return [*pieces, *literal(path, template[end:])]


def literal(path: str, text: str) -> list[Literal]:
    """Text without tags."""
    if "{{" in text:
        raise InvalidRequestError(path, text[text.index("{{") :][:24], ALLOWED)
    return [Literal(text)] if text else []
