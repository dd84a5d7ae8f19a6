"""Which models a store has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from llm_runner_router.errors import InvalidRequestError, SourceError, shorten
from llm_runner_router.migrate.ollama.model import RefusedModel
from llm_runner_router.registry.sources.ollama.name import OllamaName, parsed_ollama_name
from llm_runner_router.registry.sources.ollama.store import OllamaStore

DEPTH = 4
MAX_MANIFESTS = 100_000


def stored_names(store: OllamaStore) -> list[OllamaName | RefusedModel]:
    """All of ``manifests/<host>/<namespace>/<name>/<tag>`` in their order; blocks.

    What lies there and is called as no model can be is refused; hidden files, which desktops leave
    behind, are passed over. SourceError where the folder is no store, or cannot be read.
    """
    if not store.manifests.is_dir():
        folder = shorten(str(store.manifests.parent), 300)
        raise SourceError(f"there is no store of Ollama in {folder}: no folder manifests")
    try:
        found = sorted(files(store.manifests, DEPTH))
    except OSError as error:
        where = shorten(str(error.filename), 300)
        raise SourceError(f"{where}: {error.strerror or 'cannot be read'}") from None
    if len(found) > MAX_MANIFESTS:
        raise SourceError(f"the store has {len(found)} manifests; allowed: {MAX_MANIFESTS}")
    return [name_of(store, path) for path in found]


def files(folder: Path, depth: int) -> Iterator[Path]:
    """Whatever lies ``depth`` levels below ``folder``, and files above that."""
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if depth > 1 and path.is_dir():
            yield from files(path, depth - 1)
        else:
            yield path


def name_of(store: OllamaStore, path: Path) -> OllamaName | RefusedModel:
    """The name that a manifest's place means."""
    parts = path.relative_to(store.manifests).parts
    text = "/".join(parts[:-1]) + ":" + parts[-1]
    try:
        name = parsed_ollama_name(text, text)
    except InvalidRequestError:
        return RefusedModel(text, "this is no name of a model at Ollama")
    if len(parts) != DEPTH or store.manifest_path(name) != path:
        return RefusedModel(text, "a manifest lies at <host>/<namespace>/<name>/<tag>")
    return name
