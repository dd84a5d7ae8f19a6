"""The cache of the hub's library, read and written without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_runner_router.registry.sources.hub.cache import HubCache
from llm_runner_router.registry.sources.hub.files import HubFile

COMMIT, OTHER = "c" * 40, "d" * 40
FILE = HubFile("sub/a.gguf", 4, "a" * 64)
TEXT = HubFile("README.md", 9, "b" * 40)


@pytest.fixture
def cache(tmp_path: Path) -> HubCache:
    return HubCache(tmp_path, "org/repo")


def put(cache: HubCache, file: HubFile = FILE, content: bytes = b"GGUF") -> Path:
    path = cache.blob_path(file)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_file_has_its_name_once_it_is_linked(cache: HubCache) -> None:
    content = put(cache)
    assert not cache.holds(COMMIT, FILE)
    cache.link(COMMIT, FILE, content)
    assert cache.holds(COMMIT, FILE)
    assert cache.path(COMMIT, FILE.name).samefile(content)
    assert not cache.holds(OTHER, FILE)
    assert [path.name for path in cache.path(COMMIT, FILE.name).parent.iterdir()] == ["a.gguf"]


def test_a_cache_may_be_moved(cache: HubCache, tmp_path: Path) -> None:
    cache.link(COMMIT, FILE, put(cache))
    cache.folder.rename(tmp_path / "moved")
    assert (tmp_path / "moved" / "snapshots" / COMMIT / FILE.name).read_bytes() == b"GGUF"


def test_a_file_elsewhere_is_linked_where_it_lies(cache: HubCache, tmp_path: Path) -> None:
    content = tmp_path / "theirs"
    content.write_bytes(b"GGUF")
    pointer = tmp_path / "pointer"
    pointer.symlink_to(content)
    cache.link(COMMIT, FILE, pointer)
    assert cache.path(COMMIT, FILE.name).readlink() == content
    content.unlink()
    assert not cache.holds(COMMIT, FILE)


def test_a_link_is_replaced(cache: HubCache) -> None:
    path = cache.path(COMMIT, FILE.name)
    path.parent.mkdir(parents=True)
    path.symlink_to("nowhere")
    (path.parent / f".{FILE.blob}.new").symlink_to("left over")
    cache.link(COMMIT, FILE, put(cache))
    assert cache.holds(COMMIT, FILE)


def test_a_file_of_another_size_does_not_count(cache: HubCache) -> None:
    cache.link(COMMIT, FILE, put(cache, content=b"GGU"))
    assert not cache.holds(COMMIT, FILE)


def test_a_revision_is_what_it_was_last(cache: HubCache) -> None:
    assert cache.commit("main") is None
    cache.remember(COMMIT, "main", [FILE])
    cache.remember(OTHER, "refs/pr/1", [FILE])
    assert cache.commit("main") == COMMIT
    assert cache.commit("refs/pr/1") == OTHER
    assert cache.commit(OTHER) == OTHER
    cache.remember(OTHER, "main", [FILE])
    assert cache.commit("main") == OTHER


def test_a_commit_needs_no_name(cache: HubCache) -> None:
    cache.remember(COMMIT, COMMIT, [FILE])
    assert not (cache.folder / "refs").exists()
    assert cache.files(COMMIT) == (FILE,)


@pytest.mark.parametrize("content", ["", "../../up", "C" * 40, COMMIT + "0", "\udcff"])
def test_a_ref_that_is_no_commit_is_none(cache: HubCache, content: str) -> None:
    ref = cache.folder / "refs" / "main"
    ref.parent.mkdir(parents=True)
    ref.write_bytes(content.encode(errors="surrogateescape"))
    assert cache.commit("main") is None


def test_the_listing_is_remembered_as_the_library_writes_it(cache: HubCache) -> None:
    cache.remember(COMMIT, "main", [FILE, TEXT])
    assert set(cache.files(COMMIT)) == {FILE, TEXT}
    tree = json.loads((cache.folder / "trees" / f"{COMMIT}.json").read_bytes())
    assert tree["format_version"] == 1
    assert tree["files"][FILE.name]["lfs_sha256"] == FILE.blob
    assert tree["files"][FILE.name]["lfs_size"] == FILE.size
    assert tree["files"][TEXT.name] == {"size": 9, "blob_id": TEXT.blob}


@pytest.mark.parametrize(
    "tree",
    [
        "",
        "[]",
        "{}",
        '{"format_version": 2, "files": {}}',
        '{"format_version": 1, "files": {"a.gguf": {}}}',
        '{"format_version": 1, "files": {"a.gguf": {"size": "1", "blob_id": "a"}}}',
        '{"format_version": 1, "files": {"a.gguf": {"size": 1, "blob_id": "../../x"}}}',
        '{"format_version": 1, "files": {"a.gguf": 1}}',
        "[" * 100_000,
    ],
)
def test_a_listing_that_is_none_gives_way_to_what_is_here(cache: HubCache, tree: str) -> None:
    cache.link(COMMIT, FILE, put(cache))
    cache.remember(COMMIT, "main", [FILE, TEXT])
    (cache.folder / "trees" / f"{COMMIT}.json").write_text(tree)
    assert cache.files(COMMIT) == (FILE,)


def test_without_a_listing_links_to_nowhere_do_not_count(cache: HubCache) -> None:
    cache.link(COMMIT, FILE, put(cache))
    path = cache.path(COMMIT, "b.gguf")
    path.symlink_to("nowhere")
    cache.path(COMMIT, "README.md").write_text("hello")
    assert cache.files(COMMIT) == (FILE,)
