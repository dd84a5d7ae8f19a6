"""The text of an old prompt as a template of ours: ``{name}`` is a variable, ``{{`` a brace."""

from __future__ import annotations

import re

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.prompt.prompt_template import variables_of

DOUBLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
CONTROL = re.compile(r"\{%|\{\{[{#/^>!&~]|\{\{[^{}\"]*[A-Za-z_][^{}\"]*\}\}|\$\{")
"""What is more than a placeholder in the languages whose placeholders are doubled, such as a path
``{{user.name}}`` or a filter; and ``${name}``. An object of JSON in doubled braces has quotes."""

ALLOWED = "placeholders of one kind, {{name}} or {name}, and no path, filter or ${name} among them"
SINGLE = re.compile(r"(\{[A-Za-z_][A-Za-z0-9_]*\})|[{}]")


def migrated_text(text: str) -> tuple[str, str]:
    """The text as this version reads it, and what was done to it (empty: nothing).

    InvalidRequestError names ``format`` where nobody can tell what its braces mean: in our shape
    doubled ones are braces, and next to ``{{name}}`` it could be that or the old one.
    """
    outside = DOUBLE.sub("", text)
    if outside != text and not set(outside) & set("{}"):
        return DOUBLE.sub(r"{\1}", text), "{{name}} is {name} here"
    if outside != text or CONTROL.search(text):
        raise InvalidRequestError("format", text, ALLOWED)
    if "{{" in text:
        variables_of(text)
        return text, ""
    escaped = SINGLE.sub(lambda found: found[1] or found[0] * 2, text)
    return escaped, "" if escaped == text else "{ and } that hold no variable are {{ and }} here"
