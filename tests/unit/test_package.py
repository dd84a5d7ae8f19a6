"""What importing brings in, and that versions agree."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from llm_runner_router.version import VERSION

ROOT = Path(__file__).parents[2]


def imported_by(statement: str) -> set[str]:
    script = f"import sys; {statement}; print(' '.join(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(found.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import llm_runner_router",
        "import llm_runner_router.v1",
        "from llm_runner_router.v1 import router_pb2, registry_pb2, types_pb2",
    ],
)
def test_stubs_load_neither_engine_nor_router(statement: str) -> None:
    modules = imported_by(statement)
    assert not {"llm_runner_router._core", "tokenizers", "sqlalchemy", "pydantic"} & modules


def test_the_router_loads_neither_engine_nor_grpc() -> None:
    modules = imported_by("from llm_runner_router import LLMRouter; LLMRouter()")
    assert not {"llm_runner_router._core", "grpc", "tokenizers", "gguf"} & modules


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
