"""What was decided: once the journal has its name, all of it happens, whoever carries it out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from llm_runner_router.errors import InvalidConfigError, MigrationError
from llm_runner_router.migrate import durable
from llm_runner_router.migrate.actions import STEPS, Action, carry_out
from llm_runner_router.migrate.plain_file import read_regular
from llm_runner_router.migrate.relative_path import WORK
from llm_runner_router.migrate.step import Observe, Step

NAME = "journal.json"
NEW_NAME = "journal.new"
MOST_BYTES = 64 << 20


class Journal(BaseModel):
    """The actions of a migration or of a rollback, in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: Literal[1] = 1
    of: Literal["migration", "rollback"]
    actions: tuple[Action, ...]


def decide(folder: Path, journal: Journal, observe: Observe) -> None:
    """Write it durably. Until the rename nothing is decided. OSError."""
    work = folder / WORK
    observe(Step.WRITE_JOURNAL)
    content = journal.model_dump_json(indent=1).encode()
    durable.write(work / NEW_NAME, content, durable.new_like(work, durable.FILE_BITS))
    observe(Step.KEEP_JOURNAL)
    durable.rename(work / NEW_NAME, work / NAME)


def decided(folder: Path) -> Journal | None:
    """The journal of a folder, if one was left. MigrationError where it cannot be read."""
    path = folder / WORK / NAME
    if path.parent.is_symlink():
        message = f"{path.parent} is a symbolic link, which nothing is done through: remove it"
        raise MigrationError(message)
    try:
        return Journal.model_validate_json(read_regular(path, NAME, MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, InvalidConfigError) as error:
        first = str(error).splitlines()[0]
        message = f"{path}, the list of what an interrupted migration has to do, is damaged"
        hint = "compare the folder with its backup, then remove the file"
        raise MigrationError(f"{message} ({first}): {hint}") from None


def complete(folder: Path, journal: Journal, observe: Observe) -> None:
    """Carry out what is left, and forget the journal. Each action is on the disk before the next.

    OSError where something cannot be done; the journal stays then.
    """
    for action in journal.actions:
        observe(STEPS[type(action)])
        carry_out(folder, action)
    observe(Step.FORGET_JOURNAL)
    clear(folder, observe)


def clear(folder: Path, observe: Observe) -> None:
    """Remove the folder of the work, the journal first: without it nothing else is needed."""
    work = folder / WORK
    if not work.is_dir():
        return
    (work / NAME).unlink(missing_ok=True)
    durable.sync(work)
    observe(Step.CLEAR)
    durable.remove_tree(work)
