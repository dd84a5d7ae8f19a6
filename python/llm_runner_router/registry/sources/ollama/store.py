"""A folder with models in the layout that Ollama publishes.

::

    manifests/<host>/<namespace>/<model>/<tag>   the manifest
    blobs/sha256-<64 hexadecimal digits>         what manifests name, each blob once
"""

from __future__ import annotations

import os
import stat
from hashlib import sha256
from pathlib import Path

from llm_runner_router.errors import ModelFileError, SourceError, shorten
from llm_runner_router.registry.sources.ollama.manifest import MAX_MANIFEST_BYTES, OllamaBlob
from llm_runner_router.registry.sources.ollama.name import OllamaName

MAX_TEXT_BYTES = 1 << 20


class OllamaStore:
    """Reads a store; writes nothing into it.

    The folder itself, ``blobs`` and ``manifests`` may be links to elsewhere. What lies in them may
    not lead out of them: a manifest names blobs of its own store, and no other file.
    """

    def __init__(self, folder: Path) -> None:
        self.manifests = folder / "manifests"
        self.blobs = folder / "blobs"

    def manifest_path(self, name: OllamaName) -> Path:
        """Where the manifest of a model lies, or would."""
        return self.manifests / name.host / name.namespace / name.model / name.tag

    def blob_path(self, blob: OllamaBlob) -> Path:
        """Where a blob lies, or would."""
        return self.blobs / blob.file_name

    def manifest(self, name: OllamaName) -> bytes | None:
        """The manifest of a model, unread; ``None``: the store does not have the model."""
        path = self.manifest_path(name)
        try:
            return _bounded(_within(path, self.manifests), MAX_MANIFEST_BYTES)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            raise SourceError(f"manifest {_shown(path)}: {_reason(error)}") from None

    def checked(self, blob: OllamaBlob) -> Path:
        """The file of a blob, in the store and of the size that the manifest tells.

        ModelFileError names the file that is missing or another than it should be.
        """
        path = self.blob_path(blob)
        try:
            found = _within(path, self.blobs).stat()
        except (OSError, ValueError) as error:
            raise _damaged(path, blob, _reason(error)) from None
        if not stat.S_ISREG(found.st_mode):
            raise _damaged(path, blob, "is no regular file")
        if not os.access(path, os.R_OK):
            raise _damaged(path, blob, "may not be read")
        if found.st_size != blob.size:
            raise _damaged(path, blob, f"has {found.st_size} bytes, its manifest says {blob.size}")
        return path

    def text(self, blob: OllamaBlob) -> bytes:
        """The content of a small blob, whose digest is checked."""
        path = self.checked(blob)
        try:
            data = _bounded(path, MAX_TEXT_BYTES)
        except (OSError, ValueError) as error:
            raise _damaged(path, blob, _reason(error)) from None
        self.check_digest(blob, sha256(data).hexdigest())
        return data

    def check_digest(self, blob: OllamaBlob, found: str) -> None:
        """ModelFileError unless the digest that a blob has is the one that it is named by."""
        if found != blob.sha256:
            why = f"has the sha256 {found}, its manifest says {blob.sha256}"
            raise _damaged(self.blob_path(blob), blob, why)


def _within(path: Path, folder: Path) -> Path:
    """``path`` without links. ValueError where these lead out of ``folder``."""
    real = Path(os.path.realpath(path, strict=True))
    if not real.is_relative_to(folder.resolve(strict=True)):
        raise ValueError("leads out of its store")
    return real


def _bounded(path: Path, most: int) -> bytes:
    """The content of a regular file. ValueError for another, and for one that is larger."""
    # A named pipe of that name would wait for its writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("is no regular file")
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError(f"has more than {most} bytes")
    return data


def _damaged(path: Path, blob: OllamaBlob, why: str) -> ModelFileError:
    return ModelFileError(f"blob {_shown(path)} ({shorten(blob.kind)}): {why}")


def _shown(path: Path) -> str:
    return shorten(str(path), 300)


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else str(error)) or "cannot be read"
