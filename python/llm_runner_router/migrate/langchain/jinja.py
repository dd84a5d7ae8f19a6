"""Jinja templates, as far as they only insert variables. They are parsed and never run."""

from __future__ import annotations

from jinja2 import Environment, TemplateError, nodes

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.prompt.prompt_template import Literal, Variable

ALLOWED = "variables such as {{ question }} alone: no statements, filters or expressions"


def jinja(path: str, template: str) -> list[Literal | Variable]:
    """The pieces of a template; InvalidRequestError where it does more than insert texts.

    Jinja leaves out the variables that nobody gives; here they are asked for.
    """
    try:
        parsed = Environment(autoescape=False).parse(template)  # noqa: S701 - as LangChain's own
    except (TemplateError, RecursionError, ValueError) as error:
        raise InvalidRequestError(path, template, f"{ALLOWED} ({error})") from None
    pieces: list[Literal | Variable] = []
    for output in parsed.body:
        if not isinstance(output, nodes.Output):
            raise InvalidRequestError(path, type(output).__name__, ALLOWED)
        pieces += [piece_of(path, node) for node in output.nodes]
    return pieces


def piece_of(path: str, node: nodes.Node) -> Literal | Variable:
    """One piece."""
    match node:
        case nodes.TemplateData():
            return Literal(node.data)
        case nodes.Name():
            return Variable(node.name)
    raise InvalidRequestError(path, type(node).__name__, ALLOWED)
