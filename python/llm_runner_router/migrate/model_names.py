"""The names of a model that was a file: its id, its file's name and its source."""

from __future__ import annotations

from hashlib import sha256
from pathlib import PurePosixPath

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.checks.line import check_line
from llm_runner_router.registry.checks.model import MAX_SOURCE, check_id
from llm_runner_router.registry.sources.source import as_id
from llm_runner_router.registry.sources.wrong_source import CONTROL

MAX_FILE_NAME = 200
"""Bytes; file systems take 255, and an ending comes behind."""


def id_of(stem: str) -> str:
    """The id of a model without one: its file's name where that may be an id, else one like it."""
    try:
        check_id(stem)
    except InvalidRequestError:
        return as_id(stem)
    return stem


def target_stem(stem: str) -> str:
    """The name of a model's file in the folder of models; another one where none could name it."""
    try:
        check_line("source", stem, MAX_SOURCE)
    except InvalidRequestError:
        return as_id(stem)
    return as_id(stem) if CONTROL.search(stem) else stem


def source_of(path: PurePosixPath) -> str:
    """The source of a model in the file ``path``, which is relative to the folder."""
    return f"./{path}"


def config_name(identity: str) -> str:
    """The name of a model's configuration: its id, or one like it where no file is called so."""
    plain = "/" not in identity and not identity.startswith(".")
    if plain and len(identity.encode()) <= MAX_FILE_NAME:
        return f"{identity}.json"
    return f"{as_id(identity)}-{sha256(identity.encode()).hexdigest()[:8]}.json"
