from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.manifest import (
    AddedFile,
    AddedLink,
    KeptFile,
    KeptLink,
    Manifest,
    MovedFile,
    document,
    parsed,
)

DIGEST = "0" * 64
WHOLE = Manifest(
    time="20261129T140000.000001Z",
    source="1.0",
    files=(
        KeptFile(
            path=PurePosixPath("a 'b'\n.json"),
            sha256=DIGEST,
            mode=0o4640,
            size=3,
            modified_ns=-1,
            written=DIGEST,
        ),
    ),
    symlinks=(KeptLink(path=PurePosixPath("ü"), text="../x"),),
    added=(AddedFile(path=PurePosixPath("b"), sha256=DIGEST), AddedFile(path=PurePosixPath("c"))),
    added_symlinks=(AddedLink(path=PurePosixPath("d"), text="/e"),),
    folders=(PurePosixPath("f"), PurePosixPath("f/g")),
    moves=(
        MovedFile(path=PurePosixPath("h"), target=PurePosixPath("f/h"), size=2**40, modified_ns=1),
    ),
)


def test_what_is_written_is_read() -> None:
    assert parsed(document(WHOLE), "x") == WHOLE


def test_it_is_json_for_people_and_programs() -> None:
    values = json.loads(document(WHOLE))
    assert values["version"] == 1
    assert values["files"][0]["modifiedNs"] == -1
    assert values["moves"][0]["target"] == "f/h"


def change(values: Any, *keys: str | int, to: object) -> None:
    for key in keys[:-1]:
        values = values[key]
    values[keys[-1]] = to


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("version",), 2),
        (("files", 0, "path"), "../../etc/passwd"),
        (("files", 0, "path"), "/etc/passwd"),
        (("files", 0, "sha256"), "0" * 63),
        (("files", 0, "sha256"), "../" + "0" * 61),
        (("files", 0, "mode"), 0o10000),
        (("files", 0, "size"), -1),
        (("symlinks", 0, "path"), ""),
        (("added", 0, "path"), "a/../../b"),
        (("folders", 1), ".."),
        (("moves", 0, "target"), "/tmp"),
        (("more",), 1),
    ],
)
def test_a_damaged_list_is_refused_with_its_place(
    keys: tuple[str | int, ...], value: object
) -> None:
    values = json.loads(document(WHOLE))
    change(values, *keys, to=value)
    with pytest.raises(MigrationError) as caught:
        parsed(json.dumps(values).encode(), "NAME")
    place = ".".join(str(key) for key in keys)
    assert f"the backup NAME is damaged: manifest.json: {place}: " in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"null", b'{"version": 1}'])
def test_what_is_no_list_is_refused(content: bytes) -> None:
    with pytest.raises(MigrationError, match="damaged"):
        parsed(content, "x")
