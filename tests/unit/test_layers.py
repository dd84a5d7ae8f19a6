"""Who imports whom, as .importlinter says, and who uses the C++ core."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python/llm_runner_router"
USERS_OF_THE_CORE = {
    "inspection/model_file.py",
    "inspection/quantizing.py",
    *(f"providers/{name}.py" for name in ("local", "local_events", "local_model")),
    "providers/local_prefixes.py",
}


def test_layers_hold() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def uses_core(file: Path) -> bool:
    """Whether a module imports _core, or could by its name."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.ImportFrom(module=module, names=names):
                found = {f"{module}.{name.name}" for name in names} | {str(module)}
            case ast.Import(names=names):
                found = {name.name for name in names}
            case ast.Constant(value=str(text)):
                found = {text.split(maxsplit=1)[0]} if text.strip() else set()
            case _:
                continue
        if any(name == "llm_runner_router._core" for name in found):
            return True
    return False


def test_only_these_use_the_core() -> None:
    files = {str(file.relative_to(PACKAGE)) for file in PACKAGE.rglob("*.py") if uses_core(file)}
    assert files == USERS_OF_THE_CORE
