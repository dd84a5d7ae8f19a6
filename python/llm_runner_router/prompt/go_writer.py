"""Writes the statements of a Go template in Jinja."""

from __future__ import annotations

from llm_runner_router.prompt.go_evaluator import ROOT, Evaluator, named, setting
from llm_runner_router.prompt.go_nodes import (
    Body,
    Branch,
    Choice,
    Jump,
    Loop,
    Print,
    Set,
    Statement,
    Text,
    Variable,
)
from llm_runner_router.prompt.go_values import Kind, Value, printed, text_literal


def jinja_of_body(body: Body, evaluator: Evaluator) -> str:
    """The statements in Jinja, which prints nothing else.

    Raises:
        GoTemplateError: something cannot be translated.
    """
    writer = _Writer(evaluator)
    writer.body(body, ROOT)
    return "\n".join(writer.pieces)


class _Writer:
    """For one body, once."""

    def __init__(self, evaluator: Evaluator) -> None:
        self.pieces: list[str] = []
        self._evaluator = evaluator
        self._names = 0

    def body(self, body: Body, dot: Value) -> None:
        for statement in body:
            self._statement(statement, dot)

    def tag(self, text: str) -> None:
        self.pieces.append(f"{{%- {text} -%}}")

    def _statement(self, statement: Statement, dot: Value) -> None:
        match statement:
            case Text(text):
                self._print(text_literal(text))
            case Print(place, value):
                self._print(printed(self._evaluator.value(value, dot), place))
            case Set():
                self._set(statement, dot)
            case Choice():
                self._choice(statement, dot)
            case Loop():
                self._loop(statement, dot)
            case Jump(word):
                self.tag(word)

    def _print(self, code: str) -> None:
        if code != text_literal(""):
            self.pieces.append(f"{{{{- {code} -}}}}")

    def _set(self, statement: Set, dot: Value) -> None:
        value = self._evaluator.value(statement.value, dot)
        self._give(statement.variable, value, declares=statement.declares)

    def _give(self, variable: Variable, value: Value, *, declares: bool) -> None:
        if declares:
            for text in self._evaluator.declare(variable, value):
                self.tag(text)
        else:
            self.tag(self._evaluator.assign(variable, value))

    def _choice(self, choice: Choice, dot: Value) -> None:
        """Branches that are never taken are left out: most are for tools."""
        chain = _Chain(self)
        for branch in choice.branches:
            value, inner = self._condition(branch, dot, chain)
            if value.truth is False:
                continue
            if value.truth is True:
                chain.otherwise()
                self.body(branch.body, inner)
                break
            chain.condition(value.code)
            self.body(branch.body, inner)
        else:
            if choice.otherwise:
                chain.otherwise()
                self.body(choice.otherwise, dot)
        chain.close()

    def _condition(self, branch: Branch, dot: Value, chain: _Chain) -> tuple[Value, Value]:
        """The condition of a branch, with a name where it needs one, and the dot inside."""
        value = self._evaluator.value(branch.condition, dot)
        if branch.declared is not None:
            chain.otherwise()
            self._give(branch.declared, value, declares=True)
            value = self._evaluator.variable(branch.declared)
        elif branch.rebinds and value.truth is not False:
            chain.otherwise()
            value = self._named(value)
        return value, value if branch.rebinds else dot

    def _named(self, value: Value) -> Value:
        code = f"v.{self._new_name('w')}"
        for text in setting(value, code):
            self.tag(text)
        return named(value, code)

    def _new_name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _loop(self, loop: Loop, dot: Value) -> None:
        items = self._evaluator.value(loop.items, dot)
        if items.kind is Kind.ABSENT:
            self.body(loop.otherwise, dot)
            return
        if items.kind is not Kind.MESSAGES:
            raise loop.place.error(
                f"range over {items.kind.value} is not supported; allowed: messages"
            )
        if not loop.otherwise:
            self._rounds(loop, items)
            return
        # Jinja's own else also follows on a loop whose rounds all end with break or continue.
        self.tag(f"if {items.code}")
        self._rounds(loop, items)
        self.tag("else")
        self.body(loop.otherwise, dot)
        self.tag("endif")

    def _rounds(self, loop: Loop, items: Value) -> None:
        entry = Value(Kind.MESSAGE, self._new_name("d"), truth=True)
        self.tag(f"for {entry.code} in {items.code}")
        if loop.index is not None:
            index = Value(Kind.INTEGER, "loop.index0")
            self._give(loop.index, index, declares=loop.declares)
        if loop.element is not None:
            self._give(loop.element, entry, declares=loop.declares)
        self.body(loop.body, entry)
        self.tag("endfor")


class _Chain:
    """The ifs of one choice. A statement between two conditions makes the second a nested if."""

    def __init__(self, writer: _Writer) -> None:
        self._writer = writer
        self._opened = 0
        self._in_branch = False

    def condition(self, code: str) -> None:
        """Begins the branch of a condition."""
        if self._in_branch:
            self._writer.tag(f"elif {code}")
        else:
            self._writer.tag(f"if {code}")
            self._opened += 1
        self._in_branch = True

    def otherwise(self) -> None:
        """Begins what is done where no condition so far holds."""
        if self._in_branch:
            self._writer.tag("else")
        self._in_branch = False

    def close(self) -> None:
        """Ends all ifs."""
        for _ in range(self._opened):
            self._writer.tag("endif")
