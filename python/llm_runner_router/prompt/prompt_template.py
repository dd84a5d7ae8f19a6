"""Registered prompt templates: a text with variables becomes the prompt of a request.

``{question}`` is a variable, ``{{`` and ``}}`` are braces. Everything here is pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import PromptTemplate
from llm_runner_router.types import Request
from llm_runner_router.validation.request import MAX_TEXT, check_stop, check_text

_BRACES = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")
_ALLOWED = "variables such as {question}, with {{ and }} for braces"
_SHOWN = 24  # characters of a mistake's surroundings


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that stands in the prompt as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """A place that a variable's text takes."""

    name: str


def parsed(text: str) -> Iterator[Literal | Variable]:
    """The pieces of a template's format; InvalidRequestError shows where a brace is wrong."""
    end = 0
    for found in _BRACES.finditer(text):
        if found.start() > end:
            yield Literal(text[end : found.start()])
        end = found.end()
        if found[1] is not None:
            yield Variable(found[1])
        elif len(found[0]) == 1:
            raise InvalidRequestError("format", text[found.start() :][:_SHOWN], _ALLOWED)
        else:
            yield Literal(found[0][0])
    if end < len(text):
        yield Literal(text[end:])


def variables_of(format: str) -> tuple[str, ...]:  # noqa: A002 - the record's own word
    """The variables in the order in which they first occur; InvalidRequestError names ``format``.

    A variable's name is a letter or ``_``, then letters, digits and ``_`` (ASCII).
    """
    names = (piece.name for piece in parsed(format) if isinstance(piece, Variable))
    return tuple(dict.fromkeys(names))


def expand(template: PromptTemplate, variables: Mapping[str, str]) -> str:
    """The prompt that ``variables`` make; each text is taken as it is, braces and all.

    InvalidRequestError names a variable that is missing, unknown or no text, and bounds the whole.
    """
    pieces = list(parsed(template.format))
    _check(template, variables)
    texts = [
        piece.text if isinstance(piece, Literal) else variables[piece.name] for piece in pieces
    ]
    # Counted before it is made: a variable may stand in many places.
    if (characters := sum(map(len, texts))) > MAX_TEXT:
        allowed = f"texts that make a prompt of at most {MAX_TEXT} characters"
        raise InvalidRequestError("template.variables", characters, allowed)
    return "".join(texts)


def applied(request: Request, template: PromptTemplate) -> Request:
    """``request`` with the prompt that ``template`` makes of its variables, and its stop strings.

    ``request.template`` says which variables; the result has none. InvalidRequestError as of
    ``expand``, and names ``stop`` where both together are too many.
    """
    variables = {} if request.template is None else request.template.variables
    stop = tuple(dict.fromkeys((*request.stop, *template.stop_tokens)))
    check_stop(stop)
    return replace(request, prompt=expand(template, variables), template=None, stop=stop)


def fits(template: PromptTemplate, model: str) -> bool:
    """Whether ``template`` is meant for the model of that id; ``*`` stands for any characters."""
    patterns = template.model_compatibility
    return not patterns or any(fnmatchcase(model, _only_stars(pattern)) for pattern in patterns)


def _check(template: PromptTemplate, variables: Mapping[str, str]) -> None:
    """Exactly the variables of the template, each a text."""
    names = variables_of(template.format)
    for name in names:
        field = f"template.variables.{name}"
        if name not in variables:
            allowed = f"text for this variable of template {template.id!r}"
            raise InvalidRequestError(field, None, allowed)
        check_text(field, variables[name], MAX_TEXT, empty=True)
    unknown = next((name for name in variables if name not in names), None)
    if unknown is not None:
        known = ", ".join(names) or "none"
        allowed = f"the variables of template {template.id!r}: {known}"
        raise InvalidRequestError("template.variables", unknown, allowed)


def _only_stars(pattern: str) -> str:
    """A pattern of the shell in which nothing but ``*`` is special."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
