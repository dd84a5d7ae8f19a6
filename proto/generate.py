"""Writes the Python stubs into ``python/llm_runner_router/v1``, or under a folder given.

Run by ``make proto``; needs grpcio-tools and mypy-protobuf at the versions that pyproject.toml
names. ``tests/unit/wire/test_stubs_drift.py`` runs it into an empty folder and compares.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).resolve().parent
PACKAGE_ROOT = PROTO.parent / "python"
PACKAGE = Path("llm_runner_router/v1")


def generate(package_root: Path) -> None:
    """Write the stubs under ``package_root/llm_runner_router/v1``. Raises RuntimeError."""
    (package_root / PACKAGE).mkdir(parents=True, exist_ok=True)
    sources = sorted(str(path.relative_to(PROTO)) for path in (PROTO / PACKAGE).glob("*.proto"))
    arguments = [
        "protoc",
        f"--proto_path={PROTO}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--plugin=protoc-gen-mypy_grpc={Path(sys.executable).parent / 'protoc-gen-mypy_grpc'}",
        f"--python_out={package_root}",
        f"--pyi_out={package_root}",
        f"--grpc_python_out={package_root}",
        f"--mypy_grpc_out={package_root}",
        *sources,
    ]
    if protoc.main(arguments) != 0:
        raise RuntimeError("protoc failed; it has said why above")
    remove_empty_services(package_root / PACKAGE)


def remove_empty_services(folder: Path) -> None:
    """Remove the service stubs of files that declare no service."""
    for stub in folder.glob("*_pb2_grpc.py"):
        if "class " not in stub.read_text(encoding="utf-8"):
            stub.unlink()
            stub.with_suffix(".pyi").unlink(missing_ok=True)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else PACKAGE_ROOT)
