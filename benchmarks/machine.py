"""The machine and the versions that a measurement was made with, and who else used it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from llm_runner_router import __version__, _core

PACKAGES = ("ggml-python", "grpcio", "xllamacpp")
INSTRUCTION_SETS = (
    "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512bw", "avx512_bf16", "avx512_vnni",
    "avx512_fp16", "amx_int8", "neon", "asimddp", "i8mm", "sve",
)  # fmt: skip


def machine() -> dict[str, Any]:
    """Processor, cores, memory and system."""
    processor = _processor()
    flags = set(processor.get("flags", processor.get("Features", "")).split())
    return {
        "processor": processor.get("model name", platform.processor() or platform.machine()),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in flags],
        "attention_kernel": _core.testing.attention_isas()[-1],
        "cores": usable_cores(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
    }


def versions() -> dict[str, str | None]:
    """Of this package, Python and what the numbers depend on; None: not installed."""
    return {
        "llm-runner-router": __version__,
        "python": platform.python_version(),
        **{package: _version(package) for package in PACKAGES},
    }


def usable_cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> dict[str, str]:
    """The first processor's entry in what Linux knows; empty elsewhere."""
    path = Path("/proc/cpuinfo")
    first = path.read_text().split("\n\n", 1)[0] if path.exists() else ""
    fields = (line.split(":", 1) for line in first.splitlines() if ":" in line)
    return {name.strip(): value.strip() for name, value in fields}


@dataclass(frozen=True)
class ProcessorTime:
    """Ticks of processor time up to a moment: of the whole machine, and of some processes."""

    available: int
    used: int
    own: int

    @classmethod
    def now(cls, *children: int) -> ProcessorTime | None:
        """None where the system does not tell. Time that a host stole counts as used."""
        if not Path("/proc/stat").exists():
            return None
        total = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
        idle = total[3] + total[4]
        own = sum(map(_ticks, (os.getpid(), *children)))
        return cls(sum(total), sum(total) - idle, own)

    def others_since(self, earlier: ProcessorTime) -> float:
        """The share of the machine that others used since then, from 0 to 1."""
        available = self.available - earlier.available
        others = (self.used - earlier.used) - (self.own - earlier.own)
        return max(0.0, others / available) if available > 0 else 0.0


def processor_seconds(process: int) -> float:
    """Of a running process; Linux only."""
    return _ticks(process) / os.sysconf("SC_CLK_TCK")


def _ticks(process: int) -> int:
    """User and system time of a process; its name may hold anything, so count from its end."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
