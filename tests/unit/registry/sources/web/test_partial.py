from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.registry.sources.web.partial import Origin, Part, behind

ORIGIN = Origin("url:1", '"v1"', "", 10)


def begun(target: Path, content: bytes = b"01234", origin: Origin = ORIGIN) -> Part:
    part = Part(target, origin.identity)
    part.open()
    part.begin(origin)
    part.append([content])
    return part


def opened(target: Path, identity: str = "url:1", **said: int | str) -> Part:
    part = Part(target, identity, **said)  # type: ignore[arg-type]
    part.open()
    return part


def test_a_part_is_taken_up(tmp_path: Path) -> None:
    begun(tmp_path / "f").keep()
    part = opened(tmp_path / "f")
    assert (part.length, part.origin) == (5, ORIGIN)
    part.append([b"56", b"789"])
    part.finish()
    part.keep()
    assert (tmp_path / "f").read_bytes() == b"0123456789"
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("identity", "said"),
    [("url:2", {}), ("url:1", {"size": 9}), ("sha256:1", {"digest": "1"})],
)
def test_a_part_of_something_else(tmp_path: Path, identity: str, said: dict[str, int]) -> None:
    begun(tmp_path / "f").keep()
    part = opened(tmp_path / "f", identity, **said)
    assert (part.length, part.path.stat().st_size) == (0, 0)
    assert part.origin == Origin(identity, size=said.get("size"))
    part.discard()


def test_a_part_longer_than_the_whole(tmp_path: Path) -> None:
    begun(tmp_path / "f", bytes(11)).keep()
    part = opened(tmp_path / "f")
    assert part.length == 0
    part.keep()


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        (Origin("url:1", '"x"'), True),
        (Origin("url:1", "", "yesterday"), True),
        (Origin("url:1", 'W/"x"'), False),
        (Origin("url:1"), False),
    ],
)
def test_what_is_kept(tmp_path: Path, origin: Origin, kept: bool) -> None:
    begun(tmp_path / "f", origin=origin).keep()
    assert (tmp_path / "f.part").exists() == kept
    assert (tmp_path / "f.part.json").exists() == kept


def test_a_digest_tells_that_the_rest_belongs_to_it(tmp_path: Path) -> None:
    content = b"0123456789"
    digest = hashlib.sha256(content).hexdigest()
    part = opened(tmp_path / "f", "sha256:x", digest=digest)
    part.begin(Origin("sha256:x"))
    part.append([content[:4]])
    part.keep()
    part = opened(tmp_path / "f", "sha256:x", digest=digest)
    assert part.length == 4
    assert list(part.rehash()) == [4]
    part.append([content[4:]])
    assert part.digest() == digest
    part.finish()
    assert (tmp_path / "f").read_bytes() == content


def test_who_begins_anew_forgets_the_digest(tmp_path: Path) -> None:
    part = opened(tmp_path / "f", "sha256:x", digest="x")
    part.append([b"abc"])
    part.begin(Origin("sha256:x"))
    assert part.length == 0
    assert part.digest() == hashlib.sha256().hexdigest()
    part.keep()
    assert list(tmp_path.iterdir()) == []


def test_an_unopened_part_leaves_nothing(tmp_path: Path) -> None:
    Part(tmp_path / "f", "url:1").keep()
    assert list(tmp_path.iterdir()) == []


def test_bytes_are_on_the_disk_before_the_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []
    part = begun(tmp_path / "f")

    def sync(descriptor: int) -> None:
        name = Path(f"/dev/fd/{descriptor}").readlink().name
        synced.append((name, (tmp_path / "f").exists()))

    monkeypatch.setattr("os.fsync", sync)
    part.finish()
    assert synced == [("f.part", False), (tmp_path.name, True)]


@contextmanager
def small_files(size: int) -> Iterator[None]:
    """Files of this process may be that large: also that which the tests' output goes to."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_did_not_fit_leaves_a_beginning(tmp_path: Path) -> None:
    content = os.urandom(10_000)
    part = begun(tmp_path / "f", b"", Origin("url:1", '"v1"'))
    with pytest.raises(OSError, match="too large"), small_files(4096):
        part.append([content[:3000], content[3000:]])
    assert part.length == 4096
    part.keep()
    assert (tmp_path / "f.part").read_bytes() == content[:4096]


@given(st.lists(st.binary(max_size=5)), st.integers(0, 30))
def test_what_is_left_behind_some_bytes(pieces: list[bytes], written: int) -> None:
    left = behind([memoryview(piece) for piece in pieces], written)
    assert b"".join(left) == b"".join(pieces)[written:]
    assert all(len(piece) > 0 for piece in left[:1])
