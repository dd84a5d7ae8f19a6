"""Parses Go templates into their statements."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from llm_runner_router.prompt.go_expressions import ExpressionParser
from llm_runner_router.prompt.go_lexer import tokens_of
from llm_runner_router.prompt.go_nodes import (
    Body,
    Branch,
    Choice,
    Expression,
    GoTemplate,
    Jump,
    Loop,
    Print,
    Set,
    Statement,
    Text,
    Variable,
)
from llm_runner_router.prompt.go_scope import Scope
from llm_runner_router.prompt.go_tokens import Place, Token, TokenKind, TokenStream

_REFUSED = frozenset({"define", "template", "block"})
_JUMPS = frozenset({"break", "continue"})


def parsed(source: str, functions: Collection[str]) -> GoTemplate:
    """The statements of ``source``.

    Raises:
        GoTemplateError: the template is broken, names an unknown function or variable, defines or
            includes other templates, or nests too deep.
    """
    return _Parser(source, functions).template()


class _Condition(NamedTuple):
    """The head of an ``if`` or ``with``."""

    declared: Variable | None
    value: Expression


class _Parser:
    """For one template, once. Stands before a statement between calls."""

    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._stream = TokenStream(tokens_of(source))
        self._scope = Scope()
        self._expressions = ExpressionParser(self._stream, self._scope, functions)
        self._loops = 0

    def template(self) -> GoTemplate:
        body = self._body()
        if self._stream.at(TokenKind.OPEN):
            word = self._stream.peek(1)
            raise word.place.error(f"{word} without if, range or with")
        return GoTemplate(body, frozenset(self._scope.names), frozenset(self._scope.reassigned))

    def _body(self) -> Body:
        """The statements up to ``{{ else``, ``{{ end`` or the end, which stay in the stream."""
        statements: list[Statement] = []
        while not self._stream.at(TokenKind.END) and self._word() not in {"else", "end"}:
            statements.append(self._statement())
        return tuple(statements)

    def _word(self) -> str:
        """The word that the next action begins with, empty where it is none."""
        word = self._stream.peek(1)
        opens = self._stream.at(TokenKind.OPEN) and word.kind is TokenKind.IDENTIFIER
        return word.text if opens else ""

    def _statement(self) -> Statement:
        if self._stream.at(TokenKind.TEXT):
            return Text(self._stream.take().text)
        word, place = self._word(), self._stream.expect(TokenKind.OPEN).place
        if word in _REFUSED:
            raise place.error(f"{word} is not supported")
        if word in {"if", "with"}:
            return self._choice(place, word)
        if word == "range":
            return self._loop(place)
        if word in _JUMPS:
            return self._jump(place)
        return self._action(place)

    def _action(self, place: Place) -> Statement:
        """A value to print, or a variable to set."""
        variable = self._stream.peek()
        sign = self._stream.peek(1).kind
        if variable.kind is TokenKind.VARIABLE and sign in {TokenKind.DECLARE, TokenKind.ASSIGN}:
            self._stream.take()
            self._stream.take()
            value = self._expressions.pipeline()
            self._stream.expect(TokenKind.CLOSE)
            declares = sign is TokenKind.DECLARE
            return Set(place, self._target(variable, sign), value, declares)
        printed = self._expressions.pipeline()
        self._stream.expect(TokenKind.CLOSE)
        return Print(place, printed)

    def _target(self, token: Token, sign: TokenKind) -> Variable:
        declares = sign is TokenKind.DECLARE
        return self._scope.declare(token) if declares else self._scope.assign(token)

    def _jump(self, place: Place) -> Jump:
        word = self._stream.take().text
        if not self._loops:
            raise place.error(f"{word} outside of range")
        self._stream.expect(TokenKind.CLOSE)
        return Jump(word)

    def _choice(self, place: Place, word: str) -> Choice:
        """``if`` or ``with``, all of its ``else if`` or ``else with``, and ``else``."""
        with self._scope.block(place):
            branches = [self._branch(word)]
            while self._word() == "else" and self._stream.peek(2).text == word:
                following = self._stream.take().place
                self._stream.take()
                branches.append(self._branch(word))
                if branches[-1].declared or branches[-1].rebinds:
                    self._scope.deepen(following)
            return Choice(tuple(branches), self._otherwise(place, word))

    def _branch(self, word: str) -> Branch:
        place = self._stream.take().place
        condition = self._condition()
        self._stream.expect(TokenKind.CLOSE)
        with self._scope.variables():
            body = self._body()
        return Branch(place, word == "with", condition.declared, condition.value, body)

    def _condition(self) -> _Condition:
        if self._stream.peek(1).kind is not TokenKind.DECLARE:
            return _Condition(None, self._expressions.pipeline())
        token = self._stream.expect(TokenKind.VARIABLE)
        self._stream.take()
        value = self._expressions.pipeline()
        return _Condition(self._scope.declare(token), value)

    def _otherwise(self, place: Place, word: str) -> Body:
        """The body of ``{{ else }}``, empty where there is none, and the ``{{ end }}``."""
        body: Body = ()
        if self._word() == "else":
            self._keyword()
            with self._scope.variables():
                body = self._body()
        if self._word() != "end":
            raise place.error(f"{word} without end")
        self._keyword()
        return body

    def _keyword(self) -> None:
        """Passes ``{{ word }}``."""
        self._stream.take()
        self._stream.take()
        self._stream.expect(TokenKind.CLOSE)

    def _loop(self, place: Place) -> Loop:
        with self._scope.block(place):
            self._stream.take()
            names, sign = self._loop_names()
            items = self._expressions.pipeline()
            self._stream.expect(TokenKind.CLOSE)
            variables = [self._target(name, sign) for name in names]
            self._loops += 1
            body = self._body()
            self._loops -= 1
            otherwise = self._otherwise(place, "range")
        element = variables.pop() if variables else None
        index = variables.pop() if variables else None
        return Loop(place, index, element, sign is TokenKind.DECLARE, items, body, otherwise)

    def _loop_names(self) -> tuple[list[Token], TokenKind]:
        """The variables before ``:=`` or ``=``, which are passed."""
        signs = {TokenKind.DECLARE, TokenKind.ASSIGN}
        count = 3 if self._stream.peek(1).kind is TokenKind.COMMA else 1
        sign = self._stream.peek(count).kind
        if count == 1 and sign not in signs:
            return [], TokenKind.DECLARE
        tokens = [self._stream.take() for _ in range(count + 1)]
        if sign not in signs:
            raise tokens[-1].place.error(f"{tokens[-1]} is not allowed; allowed: := or =")
        for token in tokens[:-1:2]:
            if token.kind is not TokenKind.VARIABLE:
                raise token.place.error(f"{token} is no variable")
        return tokens[:-1:2], sign
