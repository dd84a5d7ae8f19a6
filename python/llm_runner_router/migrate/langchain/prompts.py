"""LangChain's prompts: a user's message with variables, perhaps a system message before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.chat_messages import Turn, turn_of
from llm_runner_router.migrate.langchain.claims import Claims
from llm_runner_router.migrate.langchain.few_shot import few_shot
from llm_runner_router.migrate.langchain.node import Node
from llm_runner_router.migrate.langchain.partials import partials_of
from llm_runner_router.migrate.langchain.template_text import (
    Piece,
    filled,
    names_of,
    pieces_of,
    plain,
)
from llm_runner_router.types import Role

ALLOWED = "one message of the user, perhaps with one system message without variables before it"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a prompt says. ``system`` is empty where it has no system message.

    Claims belong to the parts ``template`` and ``model.config.system``.
    """

    pieces: Sequence[Piece]
    claims: Claims
    system: str = ""
    notes: Sequence[str] = ()


def prompt_of(node: Node) -> Prompt:
    """The prompt that a node is; InvalidRequestError says why it cannot be one template here."""
    return READERS[node.kind](node)


def text_prompt(node: Node) -> Prompt:
    """A prompt that is one text."""
    claims = Claims()
    language = node.fields.get("template_format", "f-string")
    pieces = pieces_of(node.at("template"), node.fields.get("template"), language)
    pieces = filled(pieces, partials_of(node, names_of(pieces), claims))
    claims.head(node, "template")
    for name in ("template", "template_format", "input_variables"):
        if name in node.fields:
            claims.map(node.at(name), node.fields[name], "template.format")
    return Prompt(pieces, claims, notes=notes_of(node.at("template"), language))


def chat_prompt(node: Node) -> Prompt:
    """A prompt of several messages."""
    claims = Claims()
    messages = node.fields.get("messages")
    if not isinstance(messages, list):
        raise InvalidRequestError(node.at("messages"), messages, "a list of messages")
    turns = []
    for index, message in enumerate(messages):
        turn = turn_of(message, f"{node.at('messages')}[{index}]", claims, text_prompt)
        turns += [] if turn is None else [turn]
    used = names_of([piece for turn in turns for piece in turn.pieces])
    values = partials_of(node, used, claims)
    turns = [replace(turn, pieces=filled(turn.pieces, values)) for turn in turns]
    claims.head(node, "template")
    for name in ("input_variables", "optional_variables"):
        if name in node.fields:
            claims.map(node.at(name), node.fields[name], "template.format")
    return of_turns(node, turns, claims)


def of_turns(node: Node, turns: Sequence[Turn], claims: Claims) -> Prompt:
    """The prompt of a user's turn and perhaps a system's."""
    match [turn.role for turn in turns]:
        case [Role.USER]:
            system, user = None, turns[0]
        case [Role.SYSTEM, Role.USER]:
            system, user = turns
        case roles:
            raise InvalidRequestError(node.at("messages"), list(map(str, roles)), ALLOWED)
    claims.made += user.claims.made
    notes = [note for turn in turns for note in turn.notes]
    if system is None:
        return Prompt(user.pieces, claims, notes=notes)
    if names_of(system.pieces):
        names = ", ".join(names_of(system.pieces))
        raise InvalidRequestError(node.at("messages[0]"), f"variables {names}", ALLOWED)
    for claim in system.claims.made:
        claims.map(claim.path, claim.value, "model.config.system", "the model says it always")
    return Prompt(user.pieces, claims, plain(system.pieces), notes)


def notes_of(path: str, language: object) -> Sequence[str]:
    """What a template of another language does differently."""
    if language == "mustache":
        return (f'{path}: mustache writes <, >, " and & of values as HTML does; here they stay',)
    if language == "jinja2":
        return (f"{path}: Jinja leaves out variables that nobody gives; here they are asked for",)
    return ()


def few_shot_prompt(node: Node) -> Prompt:
    """A prompt with examples that stand in the file."""
    claims = Claims()
    pieces = few_shot(node, claims, lambda inner: text_prompt(inner).pieces)
    return Prompt(filled(pieces, partials_of(node, names_of(pieces), claims)), claims)


READERS: Mapping[str, Callable[[Node], Prompt]] = {
    "PromptTemplate": text_prompt,
    "ChatPromptTemplate": chat_prompt,
    "FewShotPromptTemplate": few_shot_prompt,
}
