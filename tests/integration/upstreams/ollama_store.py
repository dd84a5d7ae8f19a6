"""A store in the layout that Ollama publishes, and manifests as it writes them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from llm_runner_router.registry.sources.ollama.manifest import MANIFEST_TYPE, PREFIX

CONFIG_TYPE = "application/vnd.docker.container.image.v1+json"
CONFIG = {"model_format": "gguf", "model_family": "llama", "file_type": "F32"}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(kind: str, content: bytes, **other: Any) -> dict[str, Any]:
    entry = {"mediaType": PREFIX + kind, "digest": digest_of(content), "size": len(content)}
    return {**entry, **other}


class OllamaFiles:
    """A model: its blobs by digest, and its manifest."""

    def __init__(self, weights: bytes, *, config: dict[str, Any] | None = CONFIG) -> None:
        self.blobs: dict[str, bytes] = {}
        self.layers: list[dict[str, Any]] = []
        self.config: dict[str, Any] = {"mediaType": "", "digest": "", "size": 0}
        if config is not None:
            content = json.dumps(config).encode()
            self.blobs[digest_of(content)] = content
            self.config = {
                "mediaType": CONFIG_TYPE,
                "digest": digest_of(content),
                "size": len(content),
            }
        if weights:
            self.add("model", weights)

    def add(self, kind: str, content: bytes | str | dict[str, Any] | list[Any]) -> OllamaFiles:
        if isinstance(content, dict | list):
            content = json.dumps(content)
        data = content.encode() if isinstance(content, str) else content
        self.blobs[digest_of(data)] = data
        self.layers.append(layer(kind, data))
        return self

    @property
    def weights(self) -> bytes:
        digest = next(one["digest"] for one in self.layers if one["mediaType"] == PREFIX + "model")
        return self.blobs[digest]

    @property
    def manifest(self) -> bytes:
        fields = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": self.config,
            "layers": self.layers,
        }
        return json.dumps(fields).encode()


class OllamaFolder:
    """A store on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs").mkdir(parents=True)
        (folder / "manifests").mkdir()

    def manifest_path(self, name: str = "tiny", tag: str = "latest", **where: str) -> Path:
        host = where.get("host", "registry.ollama.ai")
        namespace = where.get("namespace", "library")
        return self.folder / "manifests" / host / namespace / name / tag

    def blob_path(self, content: bytes) -> Path:
        return self.folder / "blobs" / digest_of(content).replace(":", "-")

    def put(self, files: OllamaFiles, name: str = "tiny", tag: str = "latest", **at: str) -> None:
        for digest, content in files.blobs.items():
            (self.folder / "blobs" / digest.replace(":", "-")).write_bytes(content)
        self.put_manifest(files.manifest, name, tag, **at)

    def put_manifest(self, data: bytes, name: str = "tiny", tag: str = "latest", **at: str) -> Path:
        path = self.manifest_path(name, tag, **at)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path
