"""What a chat template may be made of, and the hooks that count what it does."""

from __future__ import annotations

from typing import Any

from jinja2 import nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.visitor import NodeTransformer

from llm_runner_router.prompt.errors import ChatTemplateError

# Filters that no template can name, because the names are no identifiers.
COUNTED = "counted entries"
JOINED = "joined text"
MEASURED = "measured literal"

_MAX_NODES = 20_000

# Inclusion and inheritance need a loader; recursive loops, call and filter blocks would need
# counting of their own, and no model's template uses them.
_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Macro,
    nodes.Assign, nodes.AssignBlock, nodes.With, nodes.Break, nodes.Continue, nodes.Name,
    nodes.NSRef, nodes.Const, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword,
    nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Getitem, nodes.Getattr,
    nodes.Slice, nodes.Concat, nodes.Compare, nodes.Operand, nodes.BinExpr, nodes.UnaryExpr,
)  # fmt: skip


class GenerationBlock(Extension):
    """``{% generation %}`` marks the model's own words for training; here it changes nothing."""

    tags = {"generation"}  # noqa: RUF012 - declared so by Jinja

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """The body, as if the tags were not there."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def check_syntax(template: nodes.Template) -> None:
    """Raises ChatTemplateError where the template has what is not allowed."""
    for count, node in enumerate(template.find_all(nodes.Node)):
        if count > _MAX_NODES:
            raise ChatTemplateError(f"the chat template has more than {_MAX_NODES} parts")
        recursive = isinstance(node, nodes.For) and node.recursive
        if recursive or not isinstance(node, _ALLOWED):
            name = "recursive loop" if recursive else type(node).__name__
            raise ChatTemplateError(f"line {node.lineno} of the chat template: no {name} allowed")


def data_size(node: nodes.Node) -> int:
    """The letters of literal text inside, which are written without being counted one by one."""
    return sum(len(data.data) for data in node.find_all(nodes.TemplateData))


class CountingTransformer(NodeTransformer):
    """Sends loops, ``~`` and literals of lists through filters that charge the budget."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - named by Jinja
        """Counts the rounds."""
        letters = nodes.Const(data_size(node))
        self.generic_visit(node)
        node.iter = _filtered(node.iter, COUNTED, letters)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        """Counts the letters."""
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes), JOINED)

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802
        """Counts the entries, however deep."""
        self.generic_visit(node)
        return _filtered(node, MEASURED)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802
        """Counts the entries, however deep."""
        self.generic_visit(node)
        return _filtered(node, MEASURED)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        """Counts the entries, however deep."""
        self.generic_visit(node)
        return _filtered(node, MEASURED) if node.ctx == "load" else node


def _filtered(node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
    made: Any = nodes.Filter(node, name, list(args), [], None, None)
    return made  # type: ignore[no-any-return]
