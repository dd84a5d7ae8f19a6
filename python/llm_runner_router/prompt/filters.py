"""The filters of templates: Jinja's harmless ones, and own ones where a filter can make much."""

# ruff: noqa: ANN401, FBT002, PLR0917 - the values of a template are of any type, and own filters
# have the signatures of those that they stand in for

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jinja2 import pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context
from markupsafe import escape

from llm_runner_router.prompt import operators
from llm_runner_router.prompt.budget import Budget
from llm_runner_router.prompt.errors import ChatTemplateError
from llm_runner_router.prompt.syntax import COUNTED, JOINED, MEASURED

# No template can name this variable, because it is no identifier.
BUDGET = "the budget"

_MAX_INDENT = 16
_HARMLESS = (
    "abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items",
    "last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse",
    "select", "selectattr", "sort", "title", "unique", "upper",
)  # fmt: skip


def budget_of(context: Context) -> Budget:
    """The budget of the rendering that ``context`` belongs to."""
    budget: Budget = context.parent[BUDGET]
    return budget


def printed(context: Context, value: object) -> str:
    """``value`` as text, paid for."""
    budget_of(context).charge_value(value, printable=True)
    return str(value)


@pass_context
def counted(context: Context, iterable: Iterable[Any], letters: int) -> Iterator[Any]:
    """The entries, each paid with the literal text that one round of the loop may write."""
    budget = budget_of(context)
    for entry in iterable:
        budget.charge(letters)
        yield entry


@pass_context
def measured(context: Context, value: object) -> object:
    """A list, tuple or mapping that the template has just put together."""
    budget_of(context).charge_value(value)
    return value


@pass_context
def joined(context: Context, parts: Iterable[Any]) -> str:
    """``a ~ b``."""
    return operators.join(budget_of(context), "", [printed(context, part) for part in parts])


@pass_context
def join(context: Context, value: Iterable[Any], d: str = "", attribute: Any = None) -> str:
    """Jinja's join, paid beforehand."""
    if attribute is not None:
        value = [context.environment.getitem(item, attribute) for item in value]
    texts = [printed(context, item) for item in value]
    return operators.join(budget_of(context), printed(context, d), texts)


@pass_context
def replace(context: Context, text: Any, old: str, new: str, count: int | None = None) -> str:
    """Jinja's replace, paid beforehand."""
    places = -1 if count is None else count
    return operators.replace(budget_of(context), printed(context, text), old, new, places)


@pass_context
def trim(context: Context, value: Any, chars: str | None = None) -> str:
    """Jinja's trim."""
    operators.check_strip(chars)
    return printed(context, value).strip(chars)


@pass_context
def indent(
    context: Context, text: Any, width: int = 4, first: object = False, blank: object = False
) -> str:
    """Jinja's indent, with a bounded width."""
    _check_indent(width)
    lines = printed(context, text).split("\n")
    budget_of(context).charge(len(lines) * width)
    margin = " " * width
    indented = [
        margin + line if (number or first) and (line or blank) else line
        for number, line in enumerate(lines)
    ]
    return "\n".join(indented)


@pass_context
def to_json(  # noqa: PLR0913 - json's own options
    context: Context,
    value: Any,
    ensure_ascii: Any = False,
    indent: int | None = None,
    separators: Any = None,
    sort_keys: Any = False,
) -> str:
    """JSON without escaping for HTML."""
    if indent is not None:
        _check_indent(indent)
    for separator in separators or ():
        _check_indent(len(separator))
    budget_of(context).charge_value(value, printable=True)
    return json.dumps(
        value,
        ensure_ascii=bool(ensure_ascii),
        indent=indent,
        separators=separators,
        sort_keys=bool(sort_keys),
    )


@pass_context
def string(context: Context, value: Any) -> str:
    """The value as text. Also ``safe``: nothing is escaped here."""
    return printed(context, value)


@pass_context
def escaped(context: Context, value: Any) -> str:
    """The value as HTML."""
    return str(escape(printed(context, value)))


def template_filters() -> dict[str, Callable[..., Any]]:
    """All filters by name; those for the counting transformer too."""
    own: dict[str, Callable[..., Any]] = {
        COUNTED: counted,
        JOINED: joined,
        MEASURED: measured,
        "e": escaped,
        "escape": escaped,
        "indent": indent,
        "join": join,
        "replace": replace,
        "safe": string,
        "string": string,
        "tojson": to_json,
        "trim": trim,
    }
    return {name: _paid(FILTERS[name]) for name in _HARMLESS} | own


def _paid(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja's whose argument and result are charged."""
    wanted = getattr(function, "jinja_pass_arg", None)
    wants = wanted.name if wanted is not None else ""

    @pass_context
    @functools.wraps(function)
    def paid(context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        budget = budget_of(context)
        budget.charge_value(value)
        first = {"context": context, "eval_context": context.eval_ctx}.get(
            wants, context.environment
        )
        result = function(*((first,) if wants else ()), value, *args, **kwargs)
        budget.charge_value(result)
        return result

    return paid


def _check_indent(width: object) -> None:
    if not isinstance(width, int) or not 0 <= width <= _MAX_INDENT:
        raise ChatTemplateError(f"the chat template indents by {width!r:.20}; allowed: 0 to 16")
