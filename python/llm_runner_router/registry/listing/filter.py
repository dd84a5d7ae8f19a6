"""The filter of ListModels: terms joined by AND, as ``registry.proto`` explains them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from typing import NoReturn

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.listing.fields import Value, field_of
from llm_runner_router.validation.values import check_text

Test = Callable[[Value], bool]

MAX_FILTER = 4096
MAX_TERMS = 64

TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<operator>!=|<=|>=|=|:|<|>)'
    r"|(?P<word>[A-Za-z0-9._/*@-]+))"
)
ALLOWED = 'terms such as tags : chat AND NOT owner = "a b"'


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the filter; ``quoted`` ones are never keywords."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """One condition on one field."""

    read: Callable[[object], Value]
    test: Test
    wanted: bool

    def holds(self, view: object) -> bool:
        """Whether a view of a model meets it."""
        return self.test(self.read(view)) is self.wanted


def parse_filter(text: str) -> Sequence[Term]:
    """The terms of a filter; InvalidRequestError of ``filter`` says what is wrong."""
    check_text("filter", text, MAX_FILTER, empty=True)
    words = list(words_of(text))
    terms: list[Term] = []
    while words:
        if terms:
            expect(words, "AND")
        terms.append(term(words))
        if len(terms) > MAX_TERMS:
            refuse(text, f"at most {MAX_TERMS} terms")
    return terms


def words_of(text: str) -> Iterator[Word]:
    """The words, operators and quoted texts."""
    position, end = 0, len(text.rstrip())
    while position < end:
        found = TOKEN.match(text, position, end)
        if found is None:
            refuse(text[position:].strip()[:20], ALLOWED)
        position = found.end()
        quoted = found["text"]
        if quoted is None:
            yield Word(found["operator"] or found["word"])
        else:
            yield Word(re.sub(r"\\(.)", r"\1", quoted[1:-1], flags=re.DOTALL), quoted=True)


def term(words: list[Word]) -> Term:
    """The first term of what is left, which it takes away."""
    wanted = True
    if words and words[0] == Word("NOT"):
        words.pop(0)
        wanted = False
    if len(words) < 3:
        refuse(" ".join(word.text for word in words), ALLOWED)
    name, operator, value = words[0].text, words[1], words[2]
    del words[:3]
    field = field_of(name, "filter")
    if operator.text == "!=":
        return Term(field.read, equality(name, field.read_value(value.text)), not wanted)
    maker = OPERATORS.get(operator.text) if not operator.quoted else None
    if maker is None:
        refuse(operator.text, f"one of {', '.join((*OPERATORS, '!='))}")
    return Term(field.read, maker(name, field.read_value(value.text)), wanted)


def expect(words: list[Word], keyword: str) -> None:
    """Take a keyword away."""
    if words[0] != Word(keyword):
        refuse(words[0].text, f"{keyword} between two terms")
    words.pop(0)


def equality(_name: str, value: Value) -> Test:
    """Equal; a text with ``*`` for any characters, a list where one of its words is."""
    if not isinstance(value, str):
        return lambda found: found == value
    matches = re.compile(translate(re.sub(r"([\[?])", r"[\1]", value))).match

    def test(found: Value) -> bool:
        texts = found if isinstance(found, tuple) else (found,)
        return any(isinstance(text, str) and matches(text) is not None for text in texts)

    return test


def containment(name: str, value: Value) -> Test:
    """The text, or a word of the list, has that part."""
    if not isinstance(value, str):
        refuse(f"{name} :", "= with true, false or a number")
    part = value

    def test(found: Value) -> bool:
        texts = found if isinstance(found, tuple) else (found,)
        return any(isinstance(text, str) and part in text for text in texts)

    return test


def comparison(holds: Callable[[float, float], bool]) -> Callable[[str, Value], Test]:
    """A comparison of numbers; a value that is unknown meets none."""

    def make(name: str, value: Value) -> Test:
        if isinstance(value, bool) or not isinstance(value, int | float):
            refuse(name, "a field that is a number")
        bound = value
        return lambda found: isinstance(found, int | float) and holds(found, bound)

    return make


OPERATORS: Mapping[str, Callable[[str, Value], Test]] = {
    "=": equality,
    ":": containment,
    "<": comparison(lambda a, b: a < b),
    "<=": comparison(lambda a, b: a <= b),
    ">": comparison(lambda a, b: a > b),
    ">=": comparison(lambda a, b: a >= b),
}


def refuse(value: object, allowed: str) -> NoReturn:
    """The error of a filter that cannot be read."""
    raise InvalidRequestError("filter", value, allowed)
