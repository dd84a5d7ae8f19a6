"""llama.cpp's own vocabularies with expected ids, fetched from the package index once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gguf import GGUFReader

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = "llama-cpp-python"
_VERSION = "0.3.36"
_SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"
_CACHE = Path(__file__).parents[2] / ".cache" / "llama-vocabularies" / _VERSION
_MEMBER = re.compile(
    r"[^/]+/vendor/llama\.cpp/models/(?:templates/)?"
    r"(ggml-vocab-[\w.-]+\.gguf(?:\.inp|\.out)?|[\w.-]+\.jinja)"
)
_SEPARATOR = "\n__ggml_vocab_test__\n"

# pip asks a source distribution for its metadata even where it only downloads it. This stands in
# for the real build backend, so that nothing of the package runs and no compiler is needed.
_BACKEND = f"""
from pathlib import Path

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = Path(directory) / "{_PACKAGE.replace("-", "_")}-{_VERSION}.dist-info"
    info.mkdir()
    lines = ("Metadata-Version: 2.1", "Name: {_PACKAGE}", "Version: {_VERSION}", "")
    (info / "METADATA").write_text("\\n".join(lines))
    (info / "WHEEL").write_text("Wheel-Version: 1.0\\n")
    return info.name
"""


@dataclass(frozen=True)
class Case:
    """A text and the ids that llama.cpp gives it, without BOS and EOS."""

    text: str
    ids: list[int]


def metadata(name: str) -> dict[str, Any]:
    """Everything that ``ggml-vocab-<name>.gguf`` says, as plain Python values.

    Kept as JSON, because the reader takes ten seconds for the larger ones.
    """
    path = vocabulary_path(name)
    cached = path.with_suffix(".json")
    if not cached.exists():
        reader = GGUFReader(path)
        values = {key: field.contents() for key, field in reader.fields.items()}
        partial = cached.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(values))
        partial.replace(cached)
    found: dict[str, Any] = json.loads(cached.read_text())
    return found


def cases(name: str) -> list[Case]:
    """The cases beside the vocabulary, cut apart where llama.cpp's own test cuts.

    Both files end with a separator: what stands behind it, the empty text and no ids, counts as
    the 47th case here, where llama.cpp's reader stops at 46.
    """
    path = vocabulary_path(name)
    texts = path.with_name(f"{path.name}.inp").read_bytes().decode().split(_SEPARATOR)
    lines = path.with_name(f"{path.name}.out").read_text().split("\n")
    ids = [[int(number) for number in line.split()] for line in lines]
    return [Case(text, numbers) for text, numbers in zip(texts, ids, strict=True)]


def vocabulary_path(name: str) -> Path:
    """The vocabulary's file."""
    return _folder() / f"ggml-vocab-{name}.gguf"


def chat_templates() -> dict[str, str]:
    """The chat templates of published models that llama.cpp tests with, by name."""
    return {path.stem: path.read_text() for path in sorted(_folder().glob("*.jinja"))}


def _folder() -> Path:
    """Where the files are, fetched first where they are not cached yet."""
    with _lock():
        if not (_CACHE / "fetched").exists():
            _fetch()
    return _CACHE


@contextlib.contextmanager
def _lock() -> Iterator[None]:
    """One process fetches, the others wait for it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch() -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = _download(Path(folder))
        with tarfile.open(archive) as members:
            for member in members:
                match = _MEMBER.fullmatch(member.name)
                content = members.extractfile(member) if match else None
                if match and content:
                    (_CACHE / match[1]).write_bytes(content.read())
    (_CACHE / "fetched").touch()


def _download(folder: Path) -> Path:
    """The source distribution from whatever index pip is set up for, its hash checked by pip."""
    backend = folder / "backend" / "scikit_build_core"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build.py").write_text(_BACKEND)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{_PACKAGE}=={_VERSION} --hash=sha256:{_SHA256}\n")
    options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "-q", *options, "-r", wanted, "-d", folder],
        env=os.environ | {"PYTHONPATH": str(backend.parent)},
        check=True,
    )
    return next(folder.glob("*.tar.gz"))
