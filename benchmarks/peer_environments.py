"""Environments of their own for peers that are Python packages; pip fills them on first use."""

from __future__ import annotations

import subprocess
import sys
import venv
from importlib import metadata
from pathlib import Path

FOLDER = Path("build/peers")
DONE = "installed.txt"


def commands_of(name: str, requirement: str) -> Path:
    """The folder of the commands of an environment that holds ``requirement``.

    RuntimeError with pip's last words where that cannot be installed.
    """
    folder = (FOLDER / name).absolute()
    commands, done = folder / "bin", folder / DONE
    if done.exists() and done.read_text() == requirement:
        return commands
    venv.create(folder, with_pip=True)
    print(f"installing {requirement}", file=sys.stderr)
    pip = [str(commands / "python"), "-m", "pip", "install", "--quiet", requirement]
    result = subprocess.run(pip, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        last = result.stderr.strip().rpartition("\n")[2]
        raise RuntimeError(f"{requirement} cannot be installed: {last}")
    done.write_text(requirement)
    return commands


def installed_version(name: str, package: str) -> str | None:
    """The version of a package in the environment ``name``."""
    paths = [str(path) for path in (FOLDER / name).glob("lib/python*/site-packages")]
    found = metadata.Distribution.discover(name=package, path=paths)
    return next((distribution.version for distribution in found), None)
