"""Where a model's answer begins in a Go template that knows one turn only."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from llm_runner_router.prompt.go_nodes import (
    Body,
    Call,
    Choice,
    Expression,
    Loop,
    Path,
    Print,
    Set,
    Statement,
)

RESPONSE = "Response"


class Cut(NamedTuple):
    """Statements, and whether the answer begins at their end."""

    body: Body
    found: bool


def cut_behind_response(body: Body) -> Cut:
    """The statements without what follows the first that writes ``.Response``.

    Conditions do not count: ``{{ if .Response }}`` only asks for it. The other branches of a
    choice stay, because where one of them is taken, the answer has not begun.
    """
    kept: list[Statement] = []
    for statement in body:
        cut = _cut_statement(statement)
        kept += cut.body
        if cut.found:
            return Cut(tuple(kept), found=True)
    return Cut(tuple(kept), found=False)


def _cut_statement(statement: Statement) -> Cut:
    match statement:
        case Print() | Set():
            return Cut((statement,), _writes_response(statement.value))
        case Choice():
            return _cut_choice(statement)
        case Loop():
            inner = cut_behind_response(statement.body)
            return Cut((replace(statement, body=inner.body),), inner.found)
        case _:
            return Cut((statement,), found=False)


def _cut_choice(choice: Choice) -> Cut:
    cuts = [cut_behind_response(branch.body) for branch in choice.branches]
    branches = tuple(
        replace(branch, body=cut.body) for branch, cut in zip(choice.branches, cuts, strict=True)
    )
    otherwise = cut_behind_response(choice.otherwise)
    found = otherwise.found or any(cut.found for cut in cuts)
    return Cut((Choice(branches, otherwise.body),), found)


def _writes_response(expression: Expression) -> bool:
    match expression:
        case Path():
            return RESPONSE in expression.names or _writes_response(expression.base)
        case Call():
            return any(_writes_response(argument) for argument in expression.arguments)
        case _:
            return False
