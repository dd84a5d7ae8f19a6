"""Numbers as people read them."""

from __future__ import annotations

BYTES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
COUNTS = ("", " k", " M", " B", " T")


def bytes_text(count: int) -> str:
    """``42.5 GiB``: three digits and more, in the unit that fits."""
    value, unit = float(count), 0
    while value >= 1024 and unit < len(BYTES) - 1:
        value, unit = value / 1024, unit + 1
    return f"{count} B" if unit == 0 else f"{value:.1f} {BYTES[unit]}"


def count_text(count: int) -> str:
    """``70.6 B``: parameters, as models are named after them."""
    value, unit = float(count), 0
    while value >= 999.95 and unit < len(COUNTS) - 1:
        value, unit = value / 1000, unit + 1
    return str(count) if unit == 0 else f"{value:.1f}{COUNTS[unit]}"


def exact_text(count: int) -> str:
    """``70,553,706,496``."""
    return f"{count:,}"
