from __future__ import annotations

import os
from pathlib import Path

from llm_runner_router.registry.memory.available import available_memory


def test_the_machine_and_its_control_group(tmp_path: Path) -> None:
    memory, group = tmp_path / "meminfo", tmp_path / "group"
    group.mkdir()
    memory.write_text("MemTotal: 9 kB\nMemAvailable:    1000 kB\nSwap: 7 kB\n")
    assert available_memory(memory, group) == 1_024_000
    (group / "memory.max").write_text("max\n")
    (group / "memory.current").write_text("500\n")
    assert available_memory(memory, group) == 1_024_000
    (group / "memory.max").write_text("2000\n")
    assert available_memory(memory, group) == 1500
    (group / "memory.current").write_text("3000\n")
    assert available_memory(memory, group) == 0


def test_where_the_system_does_not_tell(tmp_path: Path) -> None:
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert available_memory(tmp_path / "absent", tmp_path) == whole // 2
    assert 0 < available_memory() <= whole
