"""Manifests, hostile ones among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integration.upstreams.ollama_store import OllamaFiles
from llm_runner_router.errors import SourceError
from llm_runner_router.registry.sources.ollama.manifest import (
    MAX_BLOB_BYTES,
    MAX_MANIFEST_BYTES,
    OllamaBlob,
    json_object,
    parsed_manifest,
)

HEX = "ab" * 32


def layer(**fields: Any) -> dict[str, Any]:
    usual = {
        "mediaType": "application/vnd.ollama.image.model",
        "digest": f"sha256:{HEX}",
        "size": 4,
    }
    return {**usual, **fields}


def parsed(*layers: Any, **fields: Any) -> tuple[OllamaBlob, ...]:
    manifest = {"schemaVersion": 2, "layers": list(layers), **fields}
    return parsed_manifest(json.dumps(manifest).encode(), "tiny").blobs


def test_a_manifest_names_its_blobs_in_order() -> None:
    files = OllamaFiles(b"GGUF").add("system", "hello").add("license", "a").add("license", "b")
    manifest = parsed_manifest(files.manifest, "tiny")
    assert [blob.kind for blob in manifest.blobs] == [
        *("model", "system", "license", "license", "config"),
    ]
    (weights,) = manifest.of_kind("model")
    assert weights.digest == files.layers[0]["digest"]
    assert weights.file_name == files.layers[0]["digest"].replace(":", "-")
    assert weights.size == 4
    assert len(manifest.of_kind("license", "system")) == 3


@pytest.mark.parametrize("config", [None, {}, {"digest": "", "size": 0, "mediaType": ""}])
def test_a_model_may_have_no_configuration(config: Any) -> None:
    assert parsed(layer(), config=config) == (OllamaBlob("model", HEX, 4),)


@pytest.mark.parametrize("digest", [f"sha256-{HEX}", f"sha256:{HEX.upper()}"])
def test_digests_are_written_in_one_way(digest: str) -> None:
    assert parsed(layer(digest=digest)) == (OllamaBlob("model", HEX, 4),)


def test_a_type_of_somebody_else_is_kept_whole() -> None:
    (blob,) = parsed(layer(mediaType="text/plain"))
    assert blob.kind == "text/plain"


@pytest.mark.parametrize(
    "digest",
    [
        "sha256:../../etc/passwd",
        "/etc/passwd",
        f"sha256:{HEX}/../../x",
        f"sha256:{HEX}\n",
        f"sha256:{HEX[:-1]}",
        f"sha256:{HEX}0",
        f"sha512:{HEX}",
        HEX,
        "",
        None,
        7,
        [f"sha256:{HEX}"],
    ],
)
def test_a_digest_is_nothing_but_a_digest(digest: object) -> None:
    with pytest.raises(SourceError, match=r"layers\[0\].digest"):
        parsed(layer(digest=digest))
    with pytest.raises(SourceError, match=r"config.digest|config: .*"):
        parsed(layer(), config=layer(digest=digest or "x"))


@pytest.mark.parametrize("size", [-1, MAX_BLOB_BYTES + 1, 1.0, True, "4", None])
def test_a_size_is_a_number_of_bytes(size: object) -> None:
    with pytest.raises(SourceError, match=r"layers\[0\].size"):
        parsed(layer(size=size))


@pytest.mark.parametrize("wrong", [None, 7, "x", []])
def test_a_layer_is_an_object_with_a_type(wrong: object) -> None:
    with pytest.raises(SourceError, match=r"layers\[1\]"):
        parsed(layer(), wrong)
    with pytest.raises(SourceError, match=r"layers\[0\].mediaType"):
        parsed(layer(mediaType=wrong if wrong != "x" else None))


@pytest.mark.parametrize("layers", [None, 7, "x", {}])
def test_layers_are_a_list(layers: object) -> None:
    with pytest.raises(SourceError, match="layers: "):
        parsed_manifest(json.dumps({"layers": layers}).encode(), "tiny")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "a JSON object"),
        (b"7" * 10_000, "no JSON"),
        (b"[" * 1_000_000, "nested too deeply"),
        (b'{"a":' * 500_000, "nested too deeply"),
        (b" " * (MAX_MANIFEST_BYTES + 1), "more than"),
    ],
)
def test_what_is_no_object_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(SourceError, match=rf"manifest of 'tiny': .*{message}"):
        parsed_manifest(data, "tiny")
    with pytest.raises(SourceError, match=r"^somewhere: "):
        json_object(data, "somewhere", MAX_MANIFEST_BYTES)


def test_errors_are_short() -> None:
    with pytest.raises(SourceError) as caught:
        parsed(layer(digest="x" * 1_000_000))
    assert len(caught.value.message) < 500
