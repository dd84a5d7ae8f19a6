"""The committed stubs are what the .proto files give, and importing them brings in nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = Path("llm_runner_router/v1")


def test_stubs_are_those_of_the_protocol(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "proto" / "generate.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    fresh = {path.name: path.read_text("utf-8") for path in (tmp_path / PACKAGE).iterdir()}
    kept = {
        path.name: path.read_text("utf-8")
        for path in (ROOT / "python" / PACKAGE).iterdir()
        if path.is_file() and path.name != "__init__.py"
    }
    assert fresh.keys() == kept.keys()
    stale = [name for name in fresh if fresh[name] != kept[name]]
    assert not stale, f"{stale}: run `make proto`"


@pytest.mark.parametrize("module", ["llm_runner_router.v1", "llm_runner_router.v1.router_pb2_grpc"])
def test_importing_the_stubs_loads_no_engine(module: str) -> None:
    program = (
        f"import sys, {module}\n"
        "print([m for m in sys.modules if m.startswith('llm_runner_router')"
        " and not m.startswith('llm_runner_router.v1')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    assert "_core" not in done.stdout
    assert "llm_runner_router.runtime" not in done.stdout


def test_imports_come_from_google_protobuf_and_this_package_only() -> None:
    for path in (ROOT / "proto" / PACKAGE).glob("*.proto"):
        lines = path.read_text("utf-8").splitlines()
        imports = [line.split('"')[1] for line in lines if line.startswith("import ")]
        assert all(
            name.startswith(("google/protobuf/", "llm_runner_router/v1/")) for name in imports
        ), path
