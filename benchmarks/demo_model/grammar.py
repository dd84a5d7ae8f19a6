"""Question templates: ``{a|b}`` chooses, ``<name>`` is a slot, both may nest."""

import re
from collections.abc import Mapping
from random import Random

_INNERMOST_CHOICE = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"<(\w+)>")
_SPACES = re.compile(r"\s+")
_PATTERN_PARTS = {"{": "(?:", "|": "|", "}": ")", " ": " *"}
_SPACE_BEFORE_MARK = re.compile(r"\s+([,.?!;:])")


class TemplateError(ValueError):
    """A template names a slot that does not exist or has an unbalanced brace."""


def expand_once(template: str, slots: Mapping[str, tuple[str, ...]], random: Random) -> str:
    """One sentence out of the template; every choice is drawn from ``random``."""
    text = _SLOT.sub(lambda match: random.choice(_slot(slots, match[1])), template)
    while _INNERMOST_CHOICE.search(text):
        text = _INNERMOST_CHOICE.sub(lambda match: random.choice(match[1].split("|")), text)
    return tidy(text)


def pattern(template: str, slots: Mapping[str, tuple[str, ...]]) -> re.Pattern[str]:
    """Matches every sentence that the template can make, whatever its case and closing marks."""
    text = _SLOT.sub(lambda match: "{" + "|".join(_slot(slots, match[1])) + "}", template)
    parts = (_PATTERN_PARTS.get(part) or re.escape(part) for part in re.split(r"([{|} ])", text))
    return re.compile("".join(parts) + r"[?!. ]*", re.IGNORECASE)


def check(template: str, slots: Mapping[str, tuple[str, ...]]) -> None:
    """Raise TemplateError where the template could not be expanded."""
    for name in _SLOT.findall(template):
        _slot(slots, name)
    without_choices = template
    while _INNERMOST_CHOICE.search(without_choices):
        without_choices = _INNERMOST_CHOICE.sub("", without_choices)
    if re.search(r"[{}|]", without_choices):
        raise TemplateError(f"unbalanced choice in template: {template!r}")


def tidy(text: str) -> str:
    """Single spaces, and none before a punctuation mark."""
    return _SPACE_BEFORE_MARK.sub(r"\1", _SPACES.sub(" ", text)).strip()


def _slot(slots: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    try:
        return slots[name]
    except KeyError:
        known = ", ".join(sorted(slots))
        raise TemplateError(f"unknown slot <{name}>, known are: {known}") from None
