"""The messages of LangChain's chat prompts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.claims import Claims
from llm_runner_router.migrate.langchain.node import Node, class_of, node_of
from llm_runner_router.migrate.langchain.template_text import Piece
from llm_runner_router.prompt.prompt_template import Literal
from llm_runner_router.types import Role

TEMPLATES: Mapping[str, Role] = {
    "HumanMessagePromptTemplate": Role.USER,
    "SystemMessagePromptTemplate": Role.SYSTEM,
    "AIMessagePromptTemplate": Role.ASSISTANT,
}
MESSAGES: Mapping[str, Role] = {
    "HumanMessage": Role.USER,
    "SystemMessage": Role.SYSTEM,
    "AIMessage": Role.ASSISTANT,
}
PLACEHOLDER = "MessagesPlaceholder"
ALLOWED = f"one of {', '.join((*TEMPLATES, *MESSAGES))}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One message, and what has become of its leaves."""

    role: Role
    pieces: Sequence[Piece]
    claims: Claims
    notes: Sequence[str] = ()


class Text(Protocol):
    """A prompt that is one text."""

    @property
    def pieces(self) -> Sequence[Piece]:
        """Its pieces."""
        ...

    @property
    def claims(self) -> Claims:
        """What has become of its leaves."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What the user should know."""
        ...


def turn_of(value: object, path: str, dropped: Claims, read: Callable[[Node], Text]) -> Turn | None:
    """The turn that a message is; ``None``: one that may be missing, which ``dropped`` is told.

    ``read`` reads the text prompt in a message. InvalidRequestError: no message of text.
    """
    node = node_of(value, path)
    if node is None:
        raise InvalidRequestError(path, class_of(value), ALLOWED)
    if node.kind == PLACEHOLDER:
        skip(node, dropped)
        return None
    if node.kind in MESSAGES:
        return spoken(node, MESSAGES[node.kind])
    if node.kind not in TEMPLATES:
        raise InvalidRequestError(node.path, node.kind, ALLOWED)
    inner = node_of(node.fields.get("prompt"), node.at("prompt"))
    if inner is None or inner.kind != "PromptTemplate":
        found = "a list" if inner is None else inner.kind
        raise InvalidRequestError(node.at("prompt"), found, "a PromptTemplate: text alone")
    text = read(inner)
    text.claims.head(node, "template")
    return Turn(TEMPLATES[node.kind], text.pieces, text.claims, text.notes)


def skip(node: Node, dropped: Claims) -> None:
    """A place for a conversation's history, which may be empty and is here."""
    if node.fields.get("optional") is not True:
        name = node.fields.get("variable_name")
        allowed = "none but an optional one: a template has no place for a conversation"
        raise InvalidRequestError(node.path, f"{PLACEHOLDER} {name}", allowed)
    dropped.drop(node.path, node.value, "a template has no place for a conversation")


def spoken(node: Node, role: Role) -> Turn:
    """A message without variables."""
    content = node.fields.get("content")
    if not isinstance(content, str):
        raise InvalidRequestError(node.at("content"), type(content).__name__, "text")
    claims = Claims()
    claims.head(node, "template")
    claims.map(node.at("content"), content, "template.format")
    if node.fields.get("type") in ("human", "system", "ai"):
        claims.map(node.at("type"), node.fields["type"], "template")
    return Turn(role, [Literal(content)] if content else [], claims)
