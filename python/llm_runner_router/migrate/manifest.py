"""What a backup holds, and what the migration was about to add and to move.

``manifest.json`` may have been edited or damaged: it is checked as a stranger's file is.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.relative_path import RelativePath

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Part(BaseModel):
    """Base of all parts."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, validate_by_name=True
    )


class Kept(Part):
    """What is brought back to its ``path``."""

    path: RelativePath


class KeptFile(Kept):
    """A file whose content lies in the backup. ``written``: the sha256 of what takes its place."""

    sha256: Digest
    mode: Annotated[int, Field(ge=0, le=0o7777)]
    size: Annotated[int, Field(ge=0)]
    modified_ns: int
    written: Digest


class KeptLink(Kept):
    """A symbolic link, and the text in it.

    ``written``: the sha256 of the file that takes its place, ``None`` where it moves away.
    """

    text: str
    written: Digest | None = None


class AddedFile(Part):
    """A file that was not there. ``sha256`` is ``None`` where its content changes with its use."""

    path: RelativePath
    sha256: Digest | None = None


class AddedLink(Part):
    """A symbolic link that was not there."""

    path: RelativePath
    text: str


class MovedFile(Kept):
    """A file that is not copied: it gets another place. Size in bytes."""

    target: RelativePath
    size: Annotated[int, Field(ge=0)]
    modified_ns: int


class Manifest(Part):
    """All of it. ``folders`` are those that were not there, outermost first."""

    version: Literal[1] = 1
    time: str
    source: str
    files: tuple[KeptFile, ...] = ()
    symlinks: tuple[KeptLink, ...] = ()
    added: tuple[AddedFile, ...] = ()
    added_symlinks: tuple[AddedLink, ...] = ()
    folders: tuple[RelativePath, ...] = ()
    moves: tuple[MovedFile, ...] = ()


def document(manifest: Manifest) -> bytes:
    """As it is written."""
    return manifest.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def parsed(content: bytes, where: str) -> Manifest:
    """As it is read; MigrationError says what is wrong with the list of the backup ``where``."""
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"the backup {where} is damaged: manifest.json: {place}: {first['msg']}"
        raise MigrationError(message) from None
