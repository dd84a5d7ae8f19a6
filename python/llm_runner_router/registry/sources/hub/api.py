"""What is asked of the Hugging Face hub, through its own library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_runner_router.errors import SourceError, shorten
from llm_runner_router.registry.sources.hub.cache import BLOB, COMMIT
from llm_runner_router.registry.sources.hub.errors import hub_errors
from llm_runner_router.registry.sources.hub.files import HubFile
from llm_runner_router.registry.sources.source import HubSource
from llm_runner_router.version import VERSION

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

SECONDS = 15.0
# The library's own would tell the versions of Python and of other libraries.
USER_AGENT = {"user-agent": f"llm-runner-router/{VERSION}"}


@dataclass(frozen=True, slots=True)
class HubRepository:
    """A repository at one commit: which files it has, here or not."""

    commit: str
    files: tuple[HubFile, ...]


class HubApi:
    """The hub at ``endpoint``. All methods block; errors are those of ``hub.errors``.

    The token is the library's: HF_TOKEN as it is now, else that of its login.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def repository(self, source: HubSource) -> HubRepository:
        """The repository of ``source`` at its revision, as it is now."""
        from huggingface_hub import HfApi  # noqa: PLC0415 - takes long

        api = HfApi(endpoint=self._endpoint, headers=USER_AGENT)
        with hub_errors(source, self._endpoint):
            revision = None if source.revision == "main" else source.revision
            info = api.model_info(
                source.repo_id, revision=revision, files_metadata=True, timeout=SECONDS
            )
            commit, siblings = info.sha, info.siblings
        if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
            raise SourceError(f"hf://{source.repo_id}: the hub tells no commit")
        files = (hub_file(sibling) for sibling in siblings or ())
        return HubRepository(commit, tuple(file for file in files if file is not None))

    def headers(self, source: HubSource) -> Mapping[str, str]:
        """Those that requests for files need; they hold the token."""
        from huggingface_hub import utils  # noqa: PLC0415 - takes long

        with hub_errors(source, self._endpoint):
            # The package's documentation exports it, its types do not.
            return dict(utils.build_hf_headers(headers=USER_AGENT))  # type: ignore[attr-defined]

    def url(self, source: HubSource, commit: str, file: HubFile) -> str:
        """Where a file is, at one commit for good."""
        from huggingface_hub import hf_hub_url  # noqa: PLC0415 - takes long

        return str(hf_hub_url(source.repo_id, file.name, revision=commit, endpoint=self._endpoint))

    def check_access(self, source: HubSource, commit: str, file: HubFile) -> None:
        """SourceError where the file may not be had, or is not the one that was listed."""
        from huggingface_hub import get_hf_file_metadata  # noqa: PLC0415 - takes long

        with hub_errors(source, self._endpoint):
            found = get_hf_file_metadata(
                self.url(source, commit, file),
                headers=USER_AGENT,
                endpoint=self._endpoint,
                timeout=SECONDS,
            )
        if found.etag != file.blob or found.size not in (None, file.size):
            where = f"hf://{source.repo_id}: {shorten(file.name, 200)}"
            listed = f"{file.size} bytes, {file.blob}"
            answer = f"{shorten(found.size)} bytes, {shorten(found.etag)}"
            raise SourceError(f"{where}: the hub lists {listed}, but has {answer}")


def hub_file(sibling: RepoSibling) -> HubFile | None:
    """A file as the hub lists it; ``None`` where that makes no sense."""
    lfs = sibling.lfs
    name: object = sibling.rfilename
    size: object = sibling.size if lfs is None else lfs.size
    blob: object = sibling.blob_id if lfs is None else lfs.sha256
    if not isinstance(name, str) or not isinstance(blob, str) or not BLOB.fullmatch(blob):
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    return HubFile(name, size, blob)
