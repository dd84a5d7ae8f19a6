"""Go templates cut into tokens, as Go's package text/template documents it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

from llm_runner_router.errors import shorten
from llm_runner_router.prompt.go_tokens import Place, Token, TokenKind

_SPACE = " \t\r\n"
_OPEN = re.compile(r"\{\{(-[ \t\r\n])?")
_CLOSE = re.compile(r"[ \t\r\n]*(?:(?<=[ \t\r\n])(-))?\}\}")
_BLANK = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_INSIDE = re.compile(
    r"""
    (?P<STRING> "(?:\\.|[^"\\\n])*" )
    | (?P<RAW> `[^`]*` )
    | (?P<CHARACTER> '(?:\\.|[^'\\\n])*' )
    | (?P<NUMBER> [+-]?(?:0[xX][\da-fA-F_]+|0[bBoO][\d_]+
                   |(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?)(?!\w) )
    | (?P<FIELD> \.\w+ (?=[\s.,|:()]|\}\}|\Z) )
    | (?P<DOT> \. (?!\w) )
    | (?P<VARIABLE> \$\w* (?=[\s.,|:()]|\}\}|\Z) )
    | (?P<IDENTIFIER> [^\W\d]\w* (?=[\s.,|:()]|\}\}|\Z) )
    | (?P<DECLARE> := )
    | (?P<ASSIGN> = )
    | (?P<PIPE> \| )
    | (?P<COMMA> , )
    | (?P<LEFT> \( )
    | (?P<RIGHT> \) )
    """,
    re.VERBOSE,
)


def tokens_of(source: str) -> list[Token]:
    """The tokens of a template; text without the space that ``{{-`` and ``-}}`` take.

    Raises:
        GoTemplateError: an action or comment does not end, or holds what is no token.
    """
    return list(_Lexer(source).tokens())


class _Lexer:
    """For one template, once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._lines = [0, *(found.end() for found in re.finditer("\n", source))]

    def tokens(self) -> Iterator[Token]:
        """All tokens; the last is END."""
        trimmed = False
        while found := _OPEN.search(self._source, self._at):
            text = self._source[self._at : found.start()]
            yield from self._text(text, before=trimmed, behind=bool(found[1]))
            opening = Token(TokenKind.OPEN, "{{", self._place(found.start()))
            self._at = found.end()
            if self._source.startswith("/*", self._at):
                trimmed = self._comment(opening.place)
                continue
            yield opening
            yield from self._inside(opening.place)
            trimmed = bool(self._close())
            yield Token(TokenKind.CLOSE, "}}", self._place(self._at - 2))
        yield from self._text(self._source[self._at :], before=trimmed, behind=False)
        yield Token(TokenKind.END, "", self._place(len(self._source)))

    def _text(self, text: str, *, before: bool, behind: bool) -> Iterator[Token]:
        kept = text.lstrip(_SPACE) if before else text
        kept = kept.rstrip(_SPACE) if behind else kept
        if kept:
            yield Token(TokenKind.TEXT, kept, self._place(self._at))

    def _comment(self, opening: Place) -> bool:
        """Passes a comment; whether it takes the space behind it."""
        found = _COMMENT.match(self._source, self._at)
        if found is None:
            raise opening.error("the comment does not end")
        self._at = found.end()
        trims = self._close()
        if trims is None:
            raise self._place(self._at).error("a comment must be the only thing between {{ and }}")
        return trims

    def _close(self) -> bool | None:
        """Passes ``}}``; whether it takes the space behind it, None where there is none."""
        found = _CLOSE.match(self._source, self._at)
        if found is None:
            return None
        self._at = found.end()
        return bool(found[1])

    def _inside(self, opening: Place) -> Iterator[Token]:
        """The tokens up to ``}}``."""
        glued = False
        while not _CLOSE.match(self._source, self._at):
            blank = _BLANK.match(self._source, self._at)
            if blank is not None and blank[0]:
                self._at, glued = blank.end(), False
            yield self._token(opening, glued=glued)
            glued = True

    def _token(self, opening: Place, *, glued: bool) -> Token:
        place = self._place(self._at)
        found = _INSIDE.match(self._source, self._at)
        if found is None:
            if self._at >= len(self._source):
                raise opening.error("{{ without }}")
            rest = self._source[self._at : self._at + 20].split("\n")[0]
            raise place.error(f"{shorten(rest)} is not allowed between {{{{ and }}}}")
        self._at = found.end()
        return Token(TokenKind[str(found.lastgroup)], found[0], place, glued)

    def _place(self, at: int) -> Place:
        line = bisect_right(self._lines, at)
        return Place(line, at - self._lines[line - 1] + 1)
