"""How much memory the machine has left for models."""

from __future__ import annotations

import os
from pathlib import Path

MEMORY_FILE = Path("/proc/meminfo")
CONTROL_GROUP = Path("/sys/fs/cgroup")


def available_memory(memory: Path = MEMORY_FILE, group: Path = CONTROL_GROUP) -> int:
    """Bytes that the process may still take: of the machine, and of its control group.

    Where the system does not tell (macOS), half of the machine's memory.
    """
    free = of_machine(memory)
    if free is None:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    limit, used = number_in(group / "memory.max"), number_in(group / "memory.current")
    if limit is None or used is None:
        return free
    return min(free, max(0, limit - used))


def of_machine(memory: Path) -> int | None:
    """Linux's own estimate of what can be taken without swapping."""
    try:
        lines = memory.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = next((line.split() for line in lines if line.startswith("MemAvailable:")), None)
    return None if found is None else int(found[1]) * 1024


def number_in(file: Path) -> int | None:
    """The number that a file of the kernel holds; ``None`` for none, or no limit."""
    try:
        text = file.read_text(encoding="ascii").strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None
