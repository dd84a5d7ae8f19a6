"""What the commands print. Text of models and peers is shown without control characters."""

from __future__ import annotations

import re
from collections.abc import Mapping

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from llm_runner_router.types import Complete

out = Console(highlight=False, soft_wrap=True, emoji=False)
errors = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)

KEPT = frozenset("\n\t")
SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """``text`` without escape sequences and the like: terminals obey them.

    What is no text, as in names of files that are no UTF-8, is shown as such.
    """
    shown = "".join(c for c in text if c in KEPT or c.isprintable() or not is_control(c))
    return SURROGATE.sub("\N{REPLACEMENT CHARACTER}", shown)


def is_control(character: str) -> bool:
    """Whether a terminal might obey the character."""
    number = ord(character)
    return number < 0x20 or 0x7F <= number < 0xA0


def say(text: str, *, end: str = "\n") -> None:
    """Print text of a model or a peer."""
    out.print(printable(text), end=end, markup=False)


def cell(text: str) -> Text:
    """Text of a model or a peer in a table: its brackets are no markup."""
    return Text(printable(text), overflow="fold")


def show_whole(table: Table) -> None:
    """Print a table unfolded, whatever the terminal's width: nothing in it is cut."""
    room = out.options.update(width=10_000)
    needed = Measurement.get(out, room, table).maximum
    if needed > out.width:
        table.width = needed
    out.print(table)


def show_facts(facts: Mapping[str, object]) -> None:
    """Print every fact with a value, a line each."""
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in facts.items():
        if value not in (None, "", 0, ()):
            table.add_row(name.replace("_", " "), cell(str(value)))
    out.print(table)


def metrics_table(complete: Complete) -> Table:
    """What an answer took."""
    metrics = complete.metrics
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("model", cell(complete.model_used))
    table.add_row("finish reason", complete.finish_reason.value)
    table.add_row("prompt tokens", f"{metrics.prompt_tokens} ({metrics.cached_tokens} cached)")
    table.add_row("completion tokens", str(metrics.completion_tokens))
    table.add_row("first token", f"{metrics.first_token_ms:.0f} ms")
    table.add_row("total", f"{metrics.duration_ms:.0f} ms")
    table.add_row("speed", speed(complete))
    table.add_row("cost", f"{metrics.cost_usd:.4f} USD")
    return table


def speed(complete: Complete) -> str:
    """Tokens a second after the first one."""
    metrics = complete.metrics
    seconds = (metrics.duration_ms - metrics.first_token_ms) / 1000
    if metrics.completion_tokens < 2 or seconds <= 0:
        return "-"
    return f"{(metrics.completion_tokens - 1) / seconds:.0f} tokens/s"
