"""Whether files of the hub hold what their blobs are named by."""

from __future__ import annotations

import hashlib
from pathlib import Path

from llm_runner_router.errors import SourceError
from llm_runner_router.registry.records import PullProgress
from llm_runner_router.registry.sources.digest import Hash, hashed, hashing
from llm_runner_router.registry.sources.fetcher import ProgressListener
from llm_runner_router.registry.sources.hub.files import HubFile


def new_hash(file: HubFile) -> Hash:
    """What computes the name of a file's blob: sha256, or the sha1 of git's object."""
    if file.sha256 is not None:
        return hashlib.sha256()
    return hashlib.sha1(f"blob {file.size}\0".encode(), usedforsecurity=False)


def check_content(path: Path, file: HubFile) -> None:
    """SourceError unless a file has the content that its blob is named by; blocks."""
    digest = new_hash(file)
    for _ in hashing(path, digest):
        pass
    check_digest(digest.hexdigest(), file)


def check_digest(digest: str, file: HubFile) -> None:
    """SourceError unless a digest is the one that the file's blob is named by."""
    if digest != file.blob:
        raise SourceError(f"its digest is {digest}, {file.blob} was expected")


async def digest_of(path: Path, file: HubFile, on_progress: ProgressListener) -> str:
    """The digest of what lies at ``path``, read beside the event loop and told as it is."""
    return await hashed(
        path,
        new_hash(file),
        lambda done: on_progress(PullProgress("verifying", file.name, done, file.size)),
    )
