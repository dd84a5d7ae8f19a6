"""Prompts that show examples before they ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.langchain.claims import Claims
from llm_runner_router.migrate.langchain.node import Node, node_of
from llm_runner_router.migrate.langchain.partials import text_of
from llm_runner_router.migrate.langchain.template_text import (
    Piece,
    filled,
    names_of,
    pieces_of,
    plain,
)

PARTS = (
    *("prefix", "suffix", "examples", "example_separator", "template_format", "input_variables"),
)
MAX_EXAMPLES = 10_000


def few_shot(node: Node, claims: Claims, read: Callable[[Node], Sequence[Piece]]) -> list[Piece]:
    """The pieces of the prompt with its examples in it.

    As LangChain does it: the texts are put together, and variables are looked for in the whole,
    examples too. InvalidRequestError where the examples are chosen by code or stand elsewhere.
    """
    example_prompt = node_of(node.fields.get("example_prompt"), node.at("example_prompt"))
    if example_prompt is None or example_prompt.kind != "PromptTemplate":
        raise InvalidRequestError(node.at("example_prompt"), None, "a PromptTemplate in the file")
    pieces = read(example_prompt)
    shown = [example_text(path, pieces, example) for path, example in examples_of(node)]
    parts = [text_at(node, "prefix", ""), *shown, text_at(node, "suffix", "")]
    whole = text_at(node, "example_separator", "\n\n").join(part for part in parts if part)
    claims.head(node, "template")
    claims.map(example_prompt.path, example_prompt.value, "template.format", "in each example")
    for name in PARTS:
        if name in node.fields:
            claims.map(node.at(name), node.fields[name], "template.format")
    return pieces_of(node.path, whole, node.fields.get("template_format", "f-string"))


def examples_of(node: Node) -> list[tuple[str, Mapping[str, object]]]:
    """The examples with their paths."""
    path, examples = node.at("examples"), node.fields.get("examples")
    if not isinstance(examples, list) or len(examples) > MAX_EXAMPLES:
        allowed = f"at most {MAX_EXAMPLES} examples in the file itself"
        raise InvalidRequestError(path, examples, allowed)
    for index, example in enumerate(examples):
        if not isinstance(example, Mapping):
            raise InvalidRequestError(f"{path}[{index}]", example, "values by name")
    return [(f"{path}[{index}]", example) for index, example in enumerate(examples)]


def example_text(path: str, pieces: Sequence[Piece], example: Mapping[str, object]) -> str:
    """One example in words."""
    values = {name: text_of(f"{path}.{name}", example[name]) for name in example}
    missing = [name for name in names_of(pieces) if name not in values]
    if missing:
        raise InvalidRequestError(f"{path}.{missing[0]}", None, "a value for the variable")
    return plain(filled(pieces, values))


def text_at(node: Node, name: str, usual: str) -> str:
    """A text of the prompt."""
    text = node.fields.get(name, usual)
    if not isinstance(text, str):
        raise InvalidRequestError(node.at(name), text, "text")
    return text
