"""The parts of a folder that can be migrated alone, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from llm_runner_router.errors import FieldError
from llm_runner_router.migrate.plan import Change
from llm_runner_router.migrate.secret_shapes import shown_value, without_secrets


class Part(StrEnum):
    """What is migrated. ``models`` takes the registry along, which says where they lie."""

    CONFIG = "config"
    ENV = "env"
    PACKAGE = "package"
    REGISTRY = "registry"
    MODELS = "models"
    PROMPTS = "prompts"


EVERYTHING = frozenset(Part)
REGISTRY_PARTS = frozenset({Part.REGISTRY, Part.PROMPTS, Part.MODELS})


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done about one part, and what the user should know."""

    changes: Sequence[Change] = ()
    notes: Sequence[str] = ()


def joined(planned: Sequence[Planned]) -> Planned:
    """All of it, in that order."""
    return Planned(
        [change for part in planned for change in part.changes],
        [note for part in planned for note in part.notes],
    )


@contextmanager
def named(file: PurePosixPath) -> Iterator[None]:
    """Let errors of fields say which file they are in, and none of its secrets."""
    try:
        yield
    except FieldError as error:
        raise type(error)(
            f"{file}: {without_secrets(error.field)}",
            shown_value(error.field, error.value),
            without_secrets(error.allowed),
            reason=error.reason,
        ) from None


def told(file: PurePosixPath, notes: Sequence[str]) -> list[str]:
    """Notes that say which file they are of."""
    return [f"{file}: {note}" for note in notes]
