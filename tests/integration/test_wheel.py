"""The wheel holds what it needs, and works in an empty environment outside the tree."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "llm_runner_router"
LIBRARY = "dylib" if sys.platform == "darwin" else "so"
QUESTION = "What is LLM Runner Router?"
DEMO_MODEL_BYTES = 8_000_000
EXPECTED = {
    f"{PACKAGE}/_core.pyi",
    f"{PACKAGE}/py.typed",
    f"{PACKAGE}/demo/demo.gguf",
    *(f"{PACKAGE}/lib/lib{name}.{LIBRARY}" for name in ("ggml", "ggml-base", "ggml-cpu")),
    *(f"{PACKAGE}/proto/{PACKAGE}/v1/{name}.proto" for name in ("router", "registry", "types")),
    f"{PACKAGE}/registry/storage/migrations/env.py",
    *(f"{PACKAGE}/registry/storage/migrations/versions/revision_000{n}.py" for n in (1, 2, 3)),
    *(
        f"{PACKAGE}/v1/{name}_pb2.{end}"
        for name in ("router", "registry", "types")
        for end in ("py", "pyi")
    ),
    *(
        f"{PACKAGE}/v1/{name}_pb2_grpc.{end}"
        for name in ("router", "registry")
        for end in ("py", "pyi")
    ),
}
WHAT_IS_LOADED = f"""
import sys
import {PACKAGE}.v1.router_pb2_grpc
import {PACKAGE}.v1.registry_pb2_grpc
print(sorted(name for name in sys.modules if name.startswith("{PACKAGE}") and "_pb2" not in name))
"""
WHERE_GGML_IS = f"""
import {PACKAGE}._core as core
print(core.__file__)
for line in open("/proc/self/maps"):
    if "libggml" in line:
        print(line.split()[-1])
"""


def run(*command: str | Path, folder: Path) -> str:
    """What the command printed; it ran outside the tree, without our settings, and ended well."""
    ours = ("PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "LLMR_CI")
    environment = {key: value for key, value in os.environ.items() if key not in ours}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run("make", "-C", ROOT, "wheel", f"WHEEL_DIR={folder}", folder=folder)
    (wheel,) = folder.iterdir()
    return wheel


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what it requires, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python")
    run(*pip, "install", "--quiet", "--prefer-binary", "--no-compile", wheel, folder=folder)
    return folder


def test_holds_what_is_promised(names: set[str]) -> None:
    assert not EXPECTED - names
    extensions = [
        name for name in names if name.startswith(f"{PACKAGE}/_core.") and name.endswith(".so")
    ]
    assert len(extensions) == 1
    licences = {name.partition(".dist-info/licenses/")[2] for name in names}
    assert {"LICENSE", "docs/licenses/ggml.txt"} <= licences


def test_holds_nothing_else(names: set[str]) -> None:
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {PACKAGE}
    strange = {".pyc", ".cc", ".h", ".o", ".a", ".toml"}
    assert not [name for name in names if Path(name).suffix in strange or "test" in name]


def test_demo_model_is_small(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        assert archive.getinfo(f"{PACKAGE}/demo/demo.gguf").file_size <= DEMO_MODEL_BYTES


def test_requires_nothing_that_is_for_tests_only(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist: ")]
    always = [line for line in required if "extra ==" not in line]
    assert any("grpcio" in line for line in always)
    assert not [line for line in always if "torch" in line or "pytest" in line or "ggml" in line]


@pytest.mark.skipif(sys.platform == "darwin", reason="reads ELF files")
def test_libraries_are_found_wherever_the_package_lies(environment: Path) -> None:
    """Neither the build environment's path nor the tree's: both may be gone."""
    package = next(environment.glob(f"lib/python*/site-packages/{PACKAGE}"))
    for library in [*package.glob("_core*.so"), *package.glob("lib/*.so")]:
        dynamic = run("readelf", "-d", library, folder=environment).splitlines()
        paths = [line.partition("[")[2].rstrip("]") for line in dynamic if "PATH)" in line]
        assert all(path.startswith("$ORIGIN") for part in paths for path in part.split(":")), (
            library
        )
    (core,) = package.glob("_core*.so")
    assert str(ROOT).encode() not in core.read_bytes()


@pytest.mark.skipif(sys.platform == "darwin", reason="reads /proc")
def test_loads_its_own_ggml(environment: Path) -> None:
    loaded = run(environment / "bin" / "python", "-c", WHERE_GGML_IS, folder=environment).split()
    assert len(loaded) > 3
    assert all(Path(path).is_relative_to(environment) for path in loaded)


def test_stubs_load_no_engine(environment: Path) -> None:
    loaded = run(environment / "bin" / "python", "-c", WHAT_IS_LOADED, folder=environment)
    assert loaded.strip() == f"['{PACKAGE}', '{PACKAGE}.v1', '{PACKAGE}.version']"


def test_answers(environment: Path) -> None:
    printed = run(environment / "bin" / "llm-router", "demo", QUESTION, folder=environment)
    before, asked, answer = printed.partition(QUESTION)
    assert asked, before
    assert "LLM Runner Router is" in answer
    assert "completion" in answer  # the metrics
