"""The texts of LangChain's templates, as pieces of a template of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.f_string import f_string
from llm_runner_router.migrate.langchain.jinja import jinja
from llm_runner_router.migrate.langchain.mustache import mustache
from llm_runner_router.prompt.prompt_template import Literal, Variable

Piece = Literal | Variable

FORMATS: Mapping[str, Callable[[str, str], list[Piece]]] = {
    "f-string": f_string,
    "mustache": mustache,
    "jinja2": jinja,
}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_TEMPLATE = 1_000_000


def pieces_of(path: str, template: object, language: object) -> list[Piece]:
    """The pieces of the template at ``path``; InvalidRequestError where it does more than insert.

    ``language`` is f-string, mustache or jinja2.
    """
    if not isinstance(template, str) or len(template) > MAX_TEMPLATE:
        raise InvalidRequestError(path, template, f"text of at most {MAX_TEMPLATE} characters")
    read = FORMATS.get(language) if isinstance(language, str) else None
    if read is None:
        raise InvalidRequestError(f"{path} format", language, f"one of {', '.join(FORMATS)}")
    pieces = read(path, template)
    for piece in pieces:
        if isinstance(piece, Variable) and not NAME.fullmatch(piece.name):
            allowed = "variables named by a letter or _, then letters, digits and _"
            raise InvalidRequestError(path, piece.name, allowed)
    return pieces


def filled(pieces: Iterable[Piece], values: Mapping[str, str]) -> list[Piece]:
    """The pieces with the texts of some variables in their place."""
    return [
        Literal(values[piece.name])
        if isinstance(piece, Variable) and piece.name in values
        else piece
        for piece in pieces
    ]


def names_of(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """The variables, in the order in which they first occur."""
    return tuple(dict.fromkeys(piece.name for piece in pieces if isinstance(piece, Variable)))


def plain(pieces: Sequence[Piece]) -> str:
    """The text of pieces that hold no variable any more."""
    return "".join(piece.text for piece in pieces if isinstance(piece, Literal))


def written(pieces: Iterable[Piece]) -> str:
    """The pieces as the format of a template of ours."""
    return "".join(
        f"{{{piece.name}}}"
        if isinstance(piece, Variable)
        else piece.text.replace("{", "{{").replace("}", "}}")
        for piece in pieces
    )
