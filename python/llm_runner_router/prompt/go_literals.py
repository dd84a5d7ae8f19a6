"""Literals of Go in Python's values."""

from __future__ import annotations

import re

from llm_runner_router.prompt.go_tokens import Token, TokenKind

Constant = str | int | float | bool | None

_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\\"'])|([0-7]{3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|(.?))",
    re.DOTALL,
)
_PLAIN = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_INTEGERS = range(-(1 << 63), 1 << 63)
# Where Go and Python write a number the same way, but for ".0".
_SMALLEST, _LARGEST = 1e-4, 1e15


def literal_of(token: Token) -> str | int | float:
    """The value of a string, raw string, character (its code point) or number.

    Raises:
        GoTemplateError: the literal is malformed, or a number too large or too small.
    """
    if token.kind is TokenKind.RAW:
        return token.text[1:-1].replace("\r", "")
    if token.kind is TokenKind.STRING:
        return _unquoted(token, other='"')
    if token.kind is TokenKind.CHARACTER:
        return _code_point(token)
    return _number(token)


def _unquoted(token: Token, other: str) -> str:
    """The text between the quotes. Escapes of bytes must make UTF-8."""

    def replaced(found: re.Match[str]) -> bytes:
        plain, octal, byte, short, long, unknown = found.groups()
        try:
            if plain in _PLAIN:
                return bytes([_PLAIN[plain]])
            if plain == "\\" or (plain is not None and plain == other):
                return plain.encode()
            if octal or byte:
                return bytes([int(octal, 8) if octal else int(byte, 16)])
            if short or long:
                return chr(int(short or long, 16)).encode()
        except ValueError:
            pass
        escape = f"\\{plain or unknown}" if plain or unknown else found[0]
        raise token.place.error(f"{escape} is no escape that Go knows here")

    inside, made, at = token.text[1:-1], bytearray(), 0
    for found in _ESCAPE.finditer(inside):
        made += _utf8(inside[at : found.start()]) + replaced(found)
        at = found.end()
    made += _utf8(inside[at:])
    try:
        return made.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise token.place.error(f"{token} is no UTF-8") from None


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _code_point(token: Token) -> int:
    text = _unquoted(token, other="'")
    if len(text) != 1:
        raise token.place.error(f"{token} is no single character")
    return ord(text)


def _number(token: Token) -> int | float:
    text = token.text
    if re.fullmatch(r"[+-]?0\d[\d_]*", text):  # the old way to write octal numbers
        text = text.replace("0", "0o", 1)
    try:
        fraction = re.search(r"[.eE]", text) and not re.match(r"[+-]?0[xX]", text)
        value = float(text) if fraction else int(text, 0)
    except ValueError:
        raise token.place.error(f"{token} is no number") from None
    if isinstance(value, float) and value and not _SMALLEST <= abs(value) < _LARGEST:
        allowed = f"0, or {_SMALLEST:g} to {_LARGEST:g}"
        raise token.place.error(f"the number {token} is not allowed; allowed: {allowed}")
    if isinstance(value, int) and value not in _INTEGERS:
        raise token.place.error(f"{token} is no number of 64 bits")
    return value
