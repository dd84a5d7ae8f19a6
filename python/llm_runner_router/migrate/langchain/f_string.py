"""Templates in the manner of Python's ``str.format``, LangChain's usual."""

from __future__ import annotations

from string import Formatter

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.prompt.prompt_template import Literal, Variable

ALLOWED = "variables such as {question} without conversions, formats, attributes and indexes"


def f_string(path: str, template: str) -> list[Literal | Variable]:
    """The pieces of a template; InvalidRequestError where it does more than insert texts."""
    pieces: list[Literal | Variable] = []
    try:
        for text, name, form, conversion in Formatter().parse(template):
            if text:
                pieces.append(Literal(text))
            if name is None:
                continue
            if form or conversion or not name.isidentifier():
                shown = f"{{{name}{'!' if conversion else ''}{conversion or ''}:{form}}}"
                raise InvalidRequestError(path, shown, ALLOWED)
            pieces.append(Variable(name))
    except ValueError as error:
        raise InvalidRequestError(path, template, f"{ALLOWED} ({error})") from None
    return pieces
