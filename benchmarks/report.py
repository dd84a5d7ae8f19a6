"""The report of a run: JSON for machines, a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping


def table(workloads: Mapping[str, Any]) -> Table:
    """A line a workload. A ratio above 1 means that ours is better.

    ``others`` is the share of the machine that other processes used meanwhile.
    """
    peers = sorted({result["peer_name"] for result in workloads.values()})
    table = Table(title=f"Ours and the peer ({', '.join(peers)}), in turn: medians", box=SIMPLE)
    for title in ("workload", "unit", "ours", "peer", "ratio", "runs", "others"):
        numbers = title not in {"workload", "unit"}
        table.add_column(title, no_wrap=True, justify="right" if numbers else "left")
    for name, result in workloads.items():
        table.add_row(name, *cells(result))
    return table


def cells(result: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns after the name."""
    others = "" if result["others"] is None else f"{result['others']:.0%}"
    if result["peer"] is None:
        return result["unit"], number(result["ours"]), "", "", "", others
    ratios = result["runs"]["ratios"]
    return (
        result["unit"],
        number(result["ours"]),
        number(result["peer"]),
        f"{result['ratio']:.2f}",
        f"{min(ratios):.2f} to {max(ratios):.2f}",
        others,
    )


def number(value: float) -> str:
    """Three digits, or all those before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
