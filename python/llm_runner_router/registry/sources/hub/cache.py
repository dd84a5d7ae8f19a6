"""The cache of the Hugging Face hub, in the layout that its library publishes.

::

    models--<org>--<repo>/refs/<revision>             the commit that a revision is
    models--<org>--<repo>/blobs/<sha256 or git sha1>  what files hold, each content once
    models--<org>--<repo>/snapshots/<commit>/<file>   links to blobs, under the files' names
    models--<org>--<repo>/trees/<commit>.json         which files there are, here or not
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from llm_runner_router.registry.sources.hub.files import HubFile, is_weights
from llm_runner_router.registry.sources.web.missing import size_of
from llm_runner_router.registry.sources.web.partial import replace_file, sync_folder

COMMIT = re.compile(r"[0-9a-f]{40}")
BLOB = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
TREE_FORMAT = 1
MAX_TREE_BYTES = 64 << 20


class HubCache:
    """One repository in a cache folder. All methods block; OSError from those that write.

    ``counts`` says of a file's name whether it is of interest, where no listing is remembered.
    """

    def __init__(
        self, folder: Path, repo_id: str, counts: Callable[[str], bool] = is_weights
    ) -> None:
        self._counts = counts
        self.folder = folder / "--".join(("models", *repo_id.split("/")))

    def commit(self, revision: str) -> str | None:
        """The commit that a revision was, when it was last asked for."""
        if COMMIT.fullmatch(revision):
            return revision
        try:
            with (self.folder / "refs" / revision).open("rb") as file:
                found = file.read(64).decode("ascii").strip()
        except (OSError, ValueError):
            return None
        return found if COMMIT.fullmatch(found) else None

    def blob_path(self, file: HubFile) -> Path:
        """Where the content of a file lies, or would."""
        return self.folder / "blobs" / file.blob

    def path(self, commit: str, name: str) -> Path:
        """Where a file lies under its name, or would."""
        return self.folder / "snapshots" / commit / name

    def holds(self, commit: str, file: HubFile) -> bool:
        """Whether a file is here under its name, with its size."""
        return size_of(self.path(commit, file.name)) == file.size

    def files(self, commit: str) -> Sequence[HubFile]:
        """All files of the repository where the cache remembers them, else those that are here."""
        return self._remembered(commit) or tuple(self._present(commit))

    def remember(self, commit: str, revision: str, files: Sequence[HubFile]) -> None:
        """What ``files`` and ``commit`` will answer from now on."""
        tree = self.folder / "trees" / f"{commit}.json"
        listed = {file.name: _as_entry(file) for file in files}
        content = {"format_version": TREE_FORMAT, "files": listed}
        tree.parent.mkdir(parents=True, exist_ok=True)
        replace_file(tree, json.dumps(content, indent=1, sort_keys=True).encode())
        if revision != commit:
            ref = self.folder / "refs" / revision
            ref.parent.mkdir(parents=True, exist_ok=True)
            replace_file(ref, commit.encode())
            sync_folder(ref.parent)

    def link(self, commit: str, file: HubFile, content: Path) -> None:
        """Give ``content``, a file of this cache or of another, its name in a snapshot."""
        path = self.path(commit, file.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        inside = content.is_relative_to(self.folder)
        target = os.path.relpath(content, path.parent) if inside else os.path.realpath(content)
        beside = path.with_name(f".{file.blob}.new")
        with suppress(FileNotFoundError):
            beside.unlink()
        beside.symlink_to(target)
        beside.replace(path)
        sync_folder(path.parent)

    def _remembered(self, commit: str) -> Sequence[HubFile]:
        try:
            with (self.folder / "trees" / f"{commit}.json").open("rb") as file:
                content = json.loads(file.read(MAX_TREE_BYTES))
            if content["format_version"] != TREE_FORMAT:
                return ()
            return tuple(_from_entry(name, entry) for name, entry in content["files"].items())
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return ()

    def _present(self, commit: str) -> Iterator[HubFile]:
        snapshot = self.folder / "snapshots" / commit
        for folder, _, names in os.walk(snapshot):
            for name in names:
                path = Path(folder, name)
                inner = path.relative_to(snapshot).as_posix()
                size = size_of(path)
                if size is not None and self._counts(inner):
                    yield HubFile(inner, size, path.resolve().name)


def _as_entry(file: HubFile) -> dict[str, object]:
    entry: dict[str, object] = {"size": file.size, "blob_id": file.blob}
    if file.sha256 is not None:
        entry |= {"lfs_sha256": file.sha256, "lfs_size": file.size}
    return entry


def _from_entry(name: str, entry: Mapping[str, Any]) -> HubFile:
    blob, size = entry.get("lfs_sha256") or entry["blob_id"], entry["size"]
    if type(size) is not int or not BLOB.fullmatch(blob):
        raise ValueError("no file of a tree")
    return HubFile(name, size, blob)
