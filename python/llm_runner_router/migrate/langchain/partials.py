"""Variables of a prompt that LangChain fills in itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.claims import Claims
from llm_runner_router.migrate.langchain.node import Node


def partials_of(node: Node, used: Collection[str], claims: Claims) -> dict[str, str]:
    """The texts of the partial variables that a prompt uses.

    InvalidRequestError where one is no value but code, which a file does not hold.
    """
    given = node.fields.get("partial_variables")
    if given is None:
        return {}
    path = node.at("partial_variables")
    if not isinstance(given, Mapping):
        raise InvalidRequestError(path, given, "values by name")
    texts = {}
    for name, value in given.items():
        if name in used:
            texts[name] = text_of(f"{path}.{name}", value)
            claims.map(f"{path}.{name}", value, "template.format", "filled in")
        else:
            claims.drop(f"{path}.{name}", value, "no text of the prompt has such a variable")
    return texts


def text_of(path: str, value: object) -> str:
    """A value as LangChain inserts it."""
    if value is None or isinstance(value, str | int | float):
        return str(value)
    raise InvalidRequestError(path, type(value).__name__, "a text or a number, and no code")
