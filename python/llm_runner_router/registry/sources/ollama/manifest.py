"""The manifest of a model at Ollama: which blobs it is made of.

The format is Docker's image manifest, version 2, with media types of Ollama's own, as its
``manifest/manifest.go`` writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_runner_router.errors import SourceError, shorten

MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
PREFIX = "application/vnd.ollama.image."
MAX_MANIFEST_BYTES = 4 << 20
MAX_BLOB_BYTES = 1 << 50
DIGEST = re.compile(r"sha256[:-]([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class OllamaBlob:
    """A blob as its manifest names it: ``sha256`` in lower-case hexadecimal, ``size`` in bytes.

    ``kind`` is the end of the media type, such as ``model``; of the configuration, ``config``.
    """

    kind: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        """Its name in a store."""
        return f"sha256-{self.sha256}"

    @property
    def digest(self) -> str:
        """Its name at a registry."""
        return f"sha256:{self.sha256}"


@dataclass(frozen=True, slots=True)
class OllamaManifest:
    """The blobs of a model, in the manifest's order; the configuration is the last of them."""

    blobs: tuple[OllamaBlob, ...]

    def of_kind(self, *kinds: str) -> tuple[OllamaBlob, ...]:
        """Those of one or several kinds."""
        return tuple(blob for blob in self.blobs if blob.kind in kinds)


def parsed_manifest(data: bytes, model: str) -> OllamaManifest:
    """The manifest of ``model``. SourceError for whatever is none; nothing in it is believed."""
    where = f"manifest of {shorten(model)}"
    fields = json_object(data, where, MAX_MANIFEST_BYTES)
    layers = fields.get("layers")
    if not isinstance(layers, list):
        raise SourceError(f"{where}: layers: {shorten(layers)} is not allowed; allowed: a list")
    blobs = [_blob(layer, f"{where}: layers[{index}]") for index, layer in enumerate(layers)]
    config = fields.get("config")
    # Ollama itself writes an empty digest where a model has no configuration.
    if config is not None and not (isinstance(config, Mapping) and not config.get("digest")):
        blobs.append(_blob(config, f"{where}: config", kind="config"))
    return OllamaManifest(tuple(blobs))


def json_object(data: bytes, where: str, most: int) -> dict[str, Any]:
    """A JSON object of at most ``most`` bytes; else SourceError."""
    if len(data) > most:
        raise SourceError(f"{where}: more than {most} bytes")
    try:
        value = json.loads(data)
    except RecursionError:
        raise SourceError(f"{where}: nested too deeply") from None
    except ValueError as error:
        raise SourceError(f"{where}: no JSON: {shorten(str(error))}") from None
    if not isinstance(value, dict):
        raise SourceError(f"{where}: {shorten(value)} is not allowed; allowed: a JSON object")
    return value


def _blob(layer: object, where: str, kind: str | None = None) -> OllamaBlob:
    if not isinstance(layer, Mapping):
        raise SourceError(f"{where}: {shorten(layer)} is not allowed; allowed: an object")
    media_type, digest, size = (layer.get(name) for name in ("mediaType", "digest", "size"))
    if not isinstance(media_type, str):
        raise SourceError(f"{where}.mediaType: {shorten(media_type)} is not allowed; allowed: text")
    found = DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if found is None:
        allowed = "sha256: and 64 hexadecimal digits"
        raise SourceError(f"{where}.digest: {shorten(digest)} is not allowed; allowed: {allowed}")
    if type(size) is not int or not 0 <= size <= MAX_BLOB_BYTES:
        allowed = f"a whole number from 0 to {MAX_BLOB_BYTES}"
        raise SourceError(f"{where}.size: {shorten(size)} is not allowed; allowed: {allowed}")
    return OllamaBlob(kind or media_type.removeprefix(PREFIX), found[1].lower(), size)
