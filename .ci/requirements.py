"""Print the requirements that pyproject.toml gives for one purpose, one a line.

Usage: requirements.py build | runtime | <extra>
"""

import sys
import tomllib
from pathlib import Path


def requirements(purpose: str) -> list[str]:
    """The requirements of one purpose; a KeyError names an extra that does not exist."""
    pyproject = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    if purpose == "build":
        wanted: list[str] = pyproject["build-system"]["requires"]
    elif purpose == "runtime":
        wanted = pyproject["project"]["dependencies"]
    else:
        wanted = pyproject["project"]["optional-dependencies"][purpose]
    return wanted


if __name__ == "__main__":
    sys.stdout.write("\n".join(requirements(sys.argv[1])) + "\n")
