"""``make sanitize`` and ``make tsan`` find what they are there to find.

A stand-in for the extension, with faults on purpose, is configured by the same preset and run by
the same script as the real one. It shows that the flags arrive, that Python imports the sanitized
extension and not the ordinary one, and that a report fails the run and can be read.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]
PAYLOAD = "tests/tools/planted_core/use_planted_core.py"
SOUND = "write_at 7, read_after_free 0, increment 1, count_from 1"
FAULTS = [
    ("asan", "write_at 8", "AddressSanitizer: heap-buffer-overflow"),
    ("asan", "write_at -1", "AddressSanitizer: heap-buffer-overflow"),
    ("asan", "read_after_free 1", "AddressSanitizer: heap-use-after-free"),
    ("asan", f"increment {sys.maxsize}", "runtime error: signed integer overflow"),
    ("tsan", "count_from 2", "ThreadSanitizer: data race"),
]


class Target:
    """What ``make sanitize`` or ``make tsan`` does, for the stand-in."""

    def __init__(self, preset: str, folder: Path) -> None:
        self._preset = preset
        self._folder = folder
        self._stage = folder / "stage"

    def build(self) -> None:
        """Compile as the preset says."""
        folder, python = self._folder, f"-DPython_EXECUTABLE={sys.executable}"
        preset = ["cmake", "--preset", self._preset]
        call([*preset, "-B", folder, python, "-DLLMR_PLANTED_CORE=ON"], check=True)
        call(["cmake", "--build", folder, "--target", "planted_core"], check=True)
        install = ["cmake", "--install", folder, "--component", "planted"]
        call([*install, "--prefix", self._stage], check=True)

    def run(self, calls: str) -> subprocess.CompletedProcess[str]:
        """Call functions of the stand-in in a test: ``name argument, name argument``."""
        own = {"LLMR_STAGE": str(self._stage), "PLANTED_CALLS": calls}
        return call(
            [ROOT / "tests" / "tools" / "sanitized.sh", self._preset, PAYLOAD], environment=own
        )


def call(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    check: bool = False,
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert not check or done.returncode == 0, done.stdout
    return done


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Target]:
    """Built once for all tests."""
    built = {name: Target(name, tmp_path_factory.mktemp(name)) for name in ("asan", "tsan")}
    for target in built.values():
        target.build()
    return built


@pytest.mark.parametrize(("preset", "calls", "report"), FAULTS)
def test_a_planted_fault_is_found(
    targets: Mapping[str, Target], preset: str, calls: str, report: str
) -> None:
    done = targets[preset].run(calls)
    assert done.returncode != 0
    assert report in done.stdout
    assert "planted_core.cc" in done.stdout  # the report names the place


@pytest.mark.parametrize("preset", ["asan", "tsan"])
def test_sound_code_passes(targets: Mapping[str, Target], preset: str) -> None:
    done = targets[preset].run(SOUND)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_another_extension_than_the_sanitized_one_is_refused(tmp_path: Path) -> None:
    stage = tmp_path / "stage"
    (stage / "llm_runner_router").mkdir(parents=True)
    done = call(
        [ROOT / "tests" / "tools" / "sanitized.sh", "asan", PAYLOAD],
        environment={"LLMR_STAGE": str(stage)},
    )
    assert done.returncode != 0
    assert "passed" not in done.stdout
