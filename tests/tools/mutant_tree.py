"""A copy of the working tree in which faults are planted, built and tested."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mutant_list import Mutant, MutantError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PACKAGE = Path("python", "llm_runner_router")
# The editable installation puts a finder for the source before every path. It is a module that a
# .pth file imports, so an empty one of its name, earlier on the path, keeps it away.
EDITABLE_FINDER = Path("python", "_editable_skbc_llm_runner_router.py")
TEST_SECONDS = 60
HANGS_AFTER_SECONDS = 900
WHERE = """
import importlib.util
print(importlib.util.find_spec("llm_runner_router").origin)
core = importlib.util.find_spec("llm_runner_router._core")
print(core.origin if core else "")
"""


class MutantTree:
    """The copy, below ``folder``. It stays there, so that the next run compiles only what changed.

    A file is written only where its content differs, and then with the time of now: neither a
    mutant that was left in place nor an object that was compiled from one can survive.
    """

    def __init__(self, source: Path, folder: Path) -> None:
        self._source = source
        self._root = folder / "tree"
        self._build = folder / "cmake"

    def refresh(self) -> None:
        """Brings the copy to what the source is now: files that git tracks or does not ignore."""
        wanted = set(self._source_files())
        for path in self._own_files() - wanted - {EDITABLE_FINDER}:
            (self._root / path).unlink()
        for path in wanted:
            self._write(path, (self._source / path).read_bytes())
            shutil.copymode(self._source / path, self._root / path)
        self._write(EDITABLE_FINDER, b"")
        self._link(Path(".venv"))

    def copy_extension(self) -> None:
        """Takes the compiled extension from the source, for faults that need no compiler."""
        for path in (self._source / PACKAGE).glob("_core*.so"):
            shutil.copy2(path, self._root / PACKAGE)
        libraries = self._source / PACKAGE / "lib"
        if libraries.exists():
            shutil.copytree(libraries, self._root / PACKAGE / "lib", dirs_exist_ok=True)

    def build_extension(self) -> None:
        """Compiles what changed and lays it into the copy; MutantError where that fails."""
        if not (self._build / "CMakeCache.txt").exists():
            python = f"-DPython_EXECUTABLE={sys.executable}"
            release = ("-DCMAKE_BUILD_TYPE=Release", *os.environ.get("CMAKE_ARGS", "").split())
            _call(["cmake", "-S", self._root, "-B", self._build, python, *release])
        _call(["cmake", "--build", self._build, "--parallel", str(os.cpu_count())])
        prefix = self._root / "python"
        _call(["cmake", "--install", self._build, "--component", "core", "--prefix", prefix])

    def check_that_it_wins(self) -> None:
        """MutantError unless Python imports package and extension from the copy."""
        places = self._python("-c", WHERE).stdout.split()
        if not places or not all(Path(place).is_relative_to(self._root) for place in places):
            raise MutantError(f"imported from {places}, not from {self._root}")

    @contextmanager
    def planted(self, mutant: Mutant) -> Iterator[None]:
        """The fault is in the copy for as long as the context lasts."""
        path = self._root / mutant.file
        sound = path.read_bytes()
        self._write(Path(mutant.file), mutant.applied_to(sound.decode()).encode())
        try:
            yield
        finally:
            self._write(Path(mutant.file), sound)

    def test(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Runs pytest in the copy, up to the first failure."""
        options = ("-x", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_SECONDS}")
        return self._python("-m", "pytest", *options, *tests)

    def _python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        own = {
            "PYTHONPATH": str(self._root / "python"),
            "PYTHONDONTWRITEBYTECODE": "1",  # matched by size and second: too coarse here
            "LLMR_CI": "1",  # a skipped test must not pass for a green one
        }
        command = [sys.executable, *arguments]
        return _run(command, cwd=self._root, env=os.environ | own)

    def _source_files(self) -> Iterator[Path]:
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(
            command, cwd=self._source, capture_output=True, text=True, check=True
        )
        paths = (Path(name) for name in listed.stdout.split("\0") if name)
        return (path for path in paths if (self._source / path).is_file())

    def _own_files(self) -> set[Path]:
        """What the copy holds, without the compiled extension."""
        found = (path for path in self._root.rglob("*") if path.is_file() and not path.is_symlink())
        return {path.relative_to(self._root) for path in found if ".so" not in path.suffixes}

    def _write(self, path: Path, content: bytes) -> None:
        target = self._root / path
        if not target.exists() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)

    def _link(self, path: Path) -> None:
        """Makes what the tests may look for, but nobody mutates, reachable in the copy."""
        if (self._source / path).exists() and not (self._root / path).exists():
            (self._root / path).symlink_to(self._source / path)


def _call(command: Sequence[str | Path]) -> None:
    done = _run(command)
    if done.returncode != 0:
        raise MutantError(f"does not build:\n{done.stdout[-3000:]}")


def _run(
    command: Sequence[str | Path], cwd: Path | None = None, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end; one that hangs is killed with all that it started."""
    with subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=HANGS_AFTER_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode, output)
