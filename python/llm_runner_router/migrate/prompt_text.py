"""The text of an old prompt as a template of ours: ``{name}`` is a variable, ``{{`` a brace."""

from __future__ import annotations

import re

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.prompt.prompt_template import variables_of

DOUBLE = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
SINGLE = re.compile(r"(\{[A-Za-z_][A-Za-z0-9_]*\})|[{}]")


def migrated_text(text: str) -> tuple[str, str]:
    """The text as this version reads it, and what was done to it (empty: nothing).

    InvalidRequestError names ``format`` where nobody can tell what its braces mean.
    """
    outside = DOUBLE.sub("", text)
    if outside != text and not set(outside) & set("{}"):
        return DOUBLE.sub(r"{\1}", text), "{{name}} is {name} here"
    if any(pair in text for pair in ("{{", "}}", "{%")):
        # In our own shape these are braces; next to {name} nobody can tell whose shape it is.
        variables_of(text)
        if outside != text:
            allowed = "placeholders of one kind only, {{name}} or {name}"
            raise InvalidRequestError("format", text, allowed)
        return text, ""
    escaped = SINGLE.sub(lambda found: found[1] or found[0] * 2, text)
    return escaped, "" if escaped == text else "{ and } that hold no variable are {{ and }} here"
