"""The tokens of Go templates, and the stream that a parser takes them from."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from llm_runner_router.errors import shorten
from llm_runner_router.prompt.errors import GoTemplateError


class Place(NamedTuple):
    """Where something stands, in letters, counted from 1."""

    line: int
    column: int

    def error(self, problem: str) -> GoTemplateError:
        """The error that tells of this place, to be raised."""
        return GoTemplateError(self.line, self.column, problem)


class TokenKind(StrEnum):
    """What a token is; the words stand in messages."""

    TEXT = "text"
    OPEN = "{{"
    CLOSE = "}}"
    STRING = "string"
    RAW = "raw string"
    CHARACTER = "character"
    NUMBER = "number"
    FIELD = "field"
    DOT = "."
    VARIABLE = "variable"
    IDENTIFIER = "word"
    DECLARE = ":="
    ASSIGN = "="
    PIPE = "|"
    COMMA = ","
    LEFT = "("
    RIGHT = ")"
    END = "the end of the template"


class Token(NamedTuple):
    """One token; ``glued`` where no space stands before it."""

    kind: TokenKind
    text: str
    place: Place
    glued: bool = False

    def __str__(self) -> str:
        return self.kind.value if self.kind is TokenKind.END else shorten(self.text, 40)


class TokenStream:
    """Tokens one by one. The last is END and is never passed."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one further on."""
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token, passed."""
        token = self.peek()
        self._next += 1
        return token

    def at(self, kind: TokenKind) -> bool:
        """Whether the next token is of that kind."""
        return self.peek().kind is kind

    def accept(self, kind: TokenKind) -> bool:
        """Whether the next token was of that kind; passes it then."""
        found = self.at(kind)
        if found:
            self.take()
        return found

    def expect(self, kind: TokenKind) -> Token:
        """The next token, passed; GoTemplateError where it is of another kind."""
        token = self.take()
        if token.kind is not kind:
            raise token.place.error(f"{token} is not allowed; allowed: {kind.value}")
        return token
