"""Names of the Hugging Face hub: ``org/repo[@revision][/file.gguf | :TAG | /TAG]``."""

from __future__ import annotations

import re
from urllib.parse import unquote

from llm_runner_router.registry.sources.shards import check_first_shard
from llm_runner_router.registry.sources.wrong_source import wrong_source

ALLOWED = "hf://org/repo, @revision if need be, then /file.gguf or a tag such as :Q4_K_M"
ALLOWED_CHECKPOINTS = "a folder (/…, ./…, file://…), or org/repo with @revision if need be"
NAME = re.compile(r"(?!.*(--|\.\.))[A-Za-z0-9_]([A-Za-z0-9_.-]{0,94}[A-Za-z0-9_])?")
REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}){0,4}")
TAG = re.compile(
    r"(UD-)?(I?Q[1-8](_[A-Z0-9]{1,4}){1,3}|TQ[12]_0|MXFP4(_MOE)?|NVFP4|BF16|FP?16|FP?32|F64)"
)
NOT_IN_FILES = re.compile(r'[\\:?*"<>|#%]')


def parsed_hub_name(name: str, text: str) -> tuple[str, str, str, str | None, str | None]:
    """Organisation, repository, revision, file and tag. Errors show ``text``."""
    organization, _, rest = name.partition("/")
    repository, slash, file = rest.partition("/")
    tag = ""
    if not slash:
        repository, colon, tag = repository.partition(":")
        if colon:
            tag = checked_tag(tag, text)
    repository, at, revision = repository.partition("@")
    revision = unquote(revision) if at else "main"
    for part, form in ((organization, NAME), (repository, NAME), (revision, REVISION)):
        if not form.fullmatch(part) or ".." in part:
            raise wrong_source(text, ALLOWED)
    if not slash:
        return organization, repository, revision, None, tag or None
    if TAG.fullmatch(file.upper()):
        return organization, repository, revision, None, file.upper()
    return organization, repository, revision, checked_file_name(file, text), None


def parsed_checkpoint_name(name: str, text: str) -> tuple[str, str, str]:
    """Organisation (empty for the oldest models), repository and revision; a whole repository."""
    repo_id, at, revision = name.partition("@")
    revision = unquote(revision) if at else "main"
    organization, slash, repository = repo_id.rpartition("/")
    named = organization if slash else "_"
    for part, form in ((named, NAME), (repository, NAME), (revision, REVISION)):
        if not form.fullmatch(part) or ".." in part:
            raise wrong_source(text, ALLOWED_CHECKPOINTS)
    return organization, repository, revision


def checked_tag(tag: str, text: str) -> str:
    """In upper case, as files are named."""
    if not TAG.fullmatch(tag.upper()):
        raise wrong_source(text, ALLOWED)
    return tag.upper()


def checked_file_name(file: str, text: str) -> str:
    """A path within the repository, as it is written there."""
    parts = file.split("/")
    good = all(part.strip() == part and part not in ("", ".", "..") for part in parts)
    if not good or NOT_IN_FILES.search(file) or not file.lower().endswith(".gguf"):
        raise wrong_source(text, ALLOWED)
    if any(len(part.encode()) > 255 for part in parts):
        raise wrong_source(text, f"{ALLOWED}; no name of more than 255 bytes")
    check_first_shard(parts[-1], text)
    return file
