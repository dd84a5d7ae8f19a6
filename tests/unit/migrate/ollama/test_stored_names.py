from __future__ import annotations

from pathlib import Path

import pytest

from integration.upstreams.ollama_store import OllamaFolder
from llm_runner_router.errors import SourceError
from llm_runner_router.migrate.ollama.model import RefusedModel
from llm_runner_router.migrate.ollama.stored_names import stored_names
from llm_runner_router.registry.sources.ollama.store import OllamaStore


def names(folder: Path) -> list[str]:
    found = stored_names(OllamaStore(folder))
    return [f"!{one.name}" if isinstance(one, RefusedModel) else one.short for one in found]


def test_all_hosts_and_namespaces(tmp_path: Path) -> None:
    store = OllamaFolder(tmp_path / "s")
    store.put_manifest(b"", "llama2", "7b")
    store.put_manifest(b"", "llama2", "latest")
    store.put_manifest(b"", "mine", "latest", namespace="me")
    store.put_manifest(b"", "Repo-GGUF", "Q4_K_M", host="hf.co", namespace="org")
    store.put_manifest(b"", "m", "latest", host="localhost:5000", namespace="a")
    assert names(store.folder) == [
        "hf.co/org/Repo-GGUF:Q4_K_M",
        "localhost:5000/a/m:latest",
        "llama2:7b",
        "llama2:latest",
        "me/mine:latest",
    ]


def test_what_is_no_manifest_is_told_and_what_is_hidden_is_passed_over(tmp_path: Path) -> None:
    store = OllamaFolder(tmp_path / "s")
    path = store.put_manifest(b"", "good", "latest")
    (path.parent / ".DS_Store").write_bytes(b"")
    (path.parent / "with space").write_bytes(b"")
    (path.parents[2] / "flat").write_bytes(b"")
    store.put_manifest(b"", "m", "latest", host="HF.co")
    assert names(store.folder) == [
        "!HF.co/library/m:latest",
        "!registry.ollama.ai:flat",
        "good:latest",
        "!registry.ollama.ai/library/good:with space",
    ]


def test_a_folder_that_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no store of Ollama in"):
        names(tmp_path / "absent")
    (tmp_path / "manifests").write_bytes(b"")
    with pytest.raises(SourceError, match="no store of Ollama in"):
        names(tmp_path)
