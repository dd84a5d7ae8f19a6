"""The environment that chat templates run in: no way out, and nothing for free."""

# ruff: noqa: ANN401 - the values of a template are of any type

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Template, pass_context
from jinja2.runtime import Context, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from llm_runner_router.prompt import filters, operators
from llm_runner_router.prompt.errors import ChatTemplateError
from llm_runner_router.prompt.syntax import (
    CountingTransformer,
    GenerationBlock,
    check_syntax,
    data_size,
)

_MAX_SOURCE = 1 << 16
_MAX_RANGE = 10_000
# What Jinja's compiled code passes along with every call inside loops and blocks.
_LOCALS = frozenset({"_loop_vars", "_block_vars"})
_METHODS: tuple[tuple[type | tuple[type, ...], frozenset[str]], ...] = (
    (str, operators.STRING_METHODS),
    ((list, tuple), operators.SEQUENCE_METHODS),
    (Mapping, operators.MAPPING_METHODS),
    ((int, float), frozenset()),
)


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """One per template. Jinja's sandbox, with every operation that can grow paid from a budget."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        # Folding of constants would run operations before there is a budget.
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            optimized=False,
            finalize=_finalize,
            extensions=["jinja2.ext.loopcontrols", GenerationBlock],
        )
        self.filters = filters.template_filters()
        self.globals = {
            "dict": dict,
            "namespace": _TemplateNamespace,
            "range": _bounded_range,
        }
        self._macro_letters = 0

    def compile_checked(self, source: str) -> Template:
        """The compiled template, whose syntax is allowed and whose work is counted."""
        if len(source) > _MAX_SOURCE:
            raise ChatTemplateError(
                f"the chat template has {len(source)} letters; allowed: up to {_MAX_SOURCE}"
            )
        tree = self.parse(source)
        check_syntax(tree)
        self._macro_letters = data_size(tree)
        code = self.compile(CountingTransformer().visit(tree))
        return Template.from_code(self, code, self.make_globals(None))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Methods by list, everything else by Jinja's rule."""
        for kind, methods in _METHODS:
            if isinstance(obj, kind):
                return attr in methods
        return super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:  # noqa: ARG002
        """Keeps ``format`` on the way of :meth:`is_safe_attribute`, without a wrapper around it."""
        return None

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """An operator, paid before and measured after."""
        budget = filters.budget_of(context)
        operators.charge_operator(budget, operator, left, right)
        result = super().call_binop(context, operator, left, right)
        budget.charge_value(result)
        return result

    # The leading names are Jinja's: keyword arguments of templates must not meet them.
    def call(
        __self,  # noqa: N805
        __context: Context,  # noqa: PYI063
        __obj: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """A call, paid and measured."""
        budget = filters.budget_of(__context)
        budget.charge(__self._macro_letters if isinstance(__obj, Macro) else 0)
        if isinstance(getattr(__obj, "__self__", None), str):
            kwargs = {name: value for name, value in kwargs.items() if name not in _LOCALS}
            result = operators.call_string_method(budget, __obj, *args, **kwargs)
        else:
            result = super().call(__context, __obj, *args, **kwargs)
        budget.charge_value(result)
        return result


class _TemplateNamespace(Namespace):
    """Jinja's namespace without names that Python gives a meaning to."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        values = dict(*args[1:], **kwargs)
        for name in values:
            _check_name(name)
        Namespace.__init__(args[0], values)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        Namespace.__setitem__(self, name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise ChatTemplateError(f"the chat template names {name!r:.60}; no leading underscore")


@pass_context
def _finalize(context: Context, value: Any) -> str:
    return "" if isinstance(value, Undefined) else filters.printed(context, value)


def _bounded_range(*args: int) -> range:
    numbers = range(*args)
    if len(numbers) > _MAX_RANGE:
        raise ChatTemplateError(
            f"the chat template asks for a range of {len(numbers)}; allowed: up to {_MAX_RANGE}"
        )
    return numbers
