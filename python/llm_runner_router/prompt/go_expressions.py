"""Parses what stands inside an action of a Go template: pipelines of commands of operands."""

from __future__ import annotations

from collections.abc import Collection

from llm_runner_router.prompt.go_literals import literal_of
from llm_runner_router.prompt.go_nodes import Call, Dot, Expression, Literal, Path
from llm_runner_router.prompt.go_scope import Scope
from llm_runner_router.prompt.go_tokens import Token, TokenKind, TokenStream

_MAX_ARGUMENTS = 64
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "nil": None}
_LITERALS = (TokenKind.STRING, TokenKind.RAW, TokenKind.CHARACTER, TokenKind.NUMBER)
_ENDS = (TokenKind.CLOSE, TokenKind.PIPE, TokenKind.RIGHT, TokenKind.END)


class ExpressionParser:
    """Takes expressions from the stream.

    Args:
        stream: the tokens.
        scope: the variables.
        functions: the names of the functions that there are.
    """

    def __init__(self, stream: TokenStream, scope: Scope, functions: Collection[str]) -> None:
        self._stream = stream
        self._scope = scope
        self._functions = functions

    def pipeline(self) -> Expression:
        """``command | command``: each is the last argument of the next."""
        with self._scope.block(self._stream.peek().place):
            value = self._command(())
            while self._stream.accept(TokenKind.PIPE):
                self._scope.deepen(self._stream.peek().place)
                value = self._command((value,))
            return value

    def _command(self, piped: tuple[Expression, ...]) -> Expression:
        """A function with its arguments, or an operand alone."""
        head = self._stream.peek()
        operands = [self._operand()]
        while self._stream.peek().kind not in _ENDS:
            if self._stream.peek().glued:
                raise self._stream.peek().place.error(
                    f"{self._stream.peek()} stands without a space"
                )
            operands.append(self._operand())
        first, arguments = operands[0], (*operands[1:], *piped)
        if len(arguments) > _MAX_ARGUMENTS:
            raise head.place.error(f"{len(arguments)} arguments; allowed: up to {_MAX_ARGUMENTS}")
        if not arguments:
            return first
        if not isinstance(first, Call) or head.kind is not TokenKind.IDENTIFIER:
            raise head.place.error(f"{head} is no function and takes no arguments")
        return Call(first.place, first.function, arguments)

    def _operand(self) -> Expression:
        """A term and the fields behind it."""
        term = self._term(self._stream.take())
        names = []
        while self._stream.at(TokenKind.FIELD) and self._stream.peek().glued:
            names.append(self._stream.take())
        if not names:
            return term
        if isinstance(term, Literal | Dot):
            raise names[0].place.error(f"{names[0]} stands without a space")
        return self._path(term, names)

    def _path(self, term: Expression, tokens: list[Token]) -> Path:
        names = tuple(token.text[1:] for token in tokens)
        self._scope.names.update(names)
        if isinstance(term, Path):
            return Path(term.place, term.base, term.names + names)
        return Path(tokens[0].place, term, names)

    def _term(self, token: Token) -> Expression:
        if token.kind in _LITERALS:
            return Literal(token.place, literal_of(token))
        if token.kind is TokenKind.DOT:
            return Dot(token.place)
        if token.kind is TokenKind.FIELD:
            return self._path(Dot(token.place), [token])
        if token.kind is TokenKind.VARIABLE:
            return self._scope.use(token)
        if token.kind is TokenKind.IDENTIFIER:
            return self._word(token)
        if token.kind is TokenKind.LEFT:
            value = self.pipeline()
            self._stream.expect(TokenKind.RIGHT)
            return value
        raise token.place.error(f"{token} is not allowed; allowed: a value or function")

    def _word(self, token: Token) -> Expression:
        if token.text in _WORDS:
            return Literal(token.place, _WORDS[token.text])
        if token.text not in self._functions:
            known = ", ".join(sorted(self._functions))
            raise token.place.error(f"{token} is no function here; there are: {known}")
        return Call(token.place, token.text, ())
