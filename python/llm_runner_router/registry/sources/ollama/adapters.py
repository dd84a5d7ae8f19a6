"""The LoRA adapters of a model at Ollama: files beside its weights, which the engine adds to them.

Ollama adds all of each, in the order of the manifest; how much an adapter counts it says itself.
"""

from __future__ import annotations

from pathlib import Path

from llm_runner_router.errors import ModelFileError, UnsupportedError, shorten
from llm_runner_router.registry.sources.gguf_magic import MAGIC
from llm_runner_router.registry.sources.ollama.manifest import OllamaBlob, OllamaManifest
from llm_runner_router.registry.sources.ollama.store import OllamaStore

KIND = "adapter"
MAX_ADAPTERS = 16
"""That the engine runs with one model."""

OLD_MAGIC = b"algg"
"""Of llama.cpp's adapters before GGUF: the number 0x67676c61, ``ggla``, as it lies in a file."""


def adapters_of(store: OllamaStore, manifest: OllamaManifest) -> tuple[Path, ...]:
    """The files, in the manifest's order; they are there, with the sizes that it tells.

    ModelFileError where one is not, or is no GGUF file; UnsupportedError for one of an older form.
    """
    return tuple(checked_adapter(store, blob) for blob in manifest.of_kind(KIND))


def checked_adapter(store: OllamaStore, blob: OllamaBlob) -> Path:
    """The file of one adapter; see ``adapters_of``."""
    path = store.checked(blob)
    try:
        check_adapter(path, blob)
    except OSError as error:
        why = error.strerror or "cannot be read"
        raise ModelFileError(f"adapter {blob.digest}: {why}") from None
    return path


def check_adapter(path: Path, blob: OllamaBlob) -> None:
    """Whether the content of ``blob``, which lies at ``path``, begins as GGUF files do.

    UnsupportedError for the form before it, ModelFileError for all else.
    """
    with path.open("rb") as file:
        start = file.read(64)
    if start.startswith(OLD_MAGIC):
        form = "has the form ggla, which llama.cpp itself does not read any more; allowed: GGUF"
        raise UnsupportedError(f"adapter {blob.digest} {form}")
    if not start.startswith(MAGIC):
        begins = f"it begins with {shorten(start)}"
        raise ModelFileError(f"adapter {blob.digest} is no GGUF file: {begins}")
