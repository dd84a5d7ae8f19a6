"""A migration: all of it happens, or none of it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import backup, journal, staging
from llm_runner_router.migrate.actions import Action, MakeFolder, Move, Place
from llm_runner_router.migrate.backup import Backup
from llm_runner_router.migrate.disk_errors import AS_BEFORE, disk_error, disk_errors
from llm_runner_router.migrate.durable import FOLDER_BITS, new_like
from llm_runner_router.migrate.folder_lock import folder_lock
from llm_runner_router.migrate.journal import Journal
from llm_runner_router.migrate.plan import Plan
from llm_runner_router.migrate.plan_check import check_plan
from llm_runner_router.migrate.recovery import Recovery, recover_locked
from llm_runner_router.migrate.restoration import restoration_of
from llm_runner_router.migrate.restoring import restore
from llm_runner_router.migrate.staging import LINKS, TRASH, TREE
from llm_runner_router.migrate.step import Observe, Step, unobserved
from llm_runner_router.migrate.trial import Trial, try_router
from llm_runner_router.migrate.work import Work, manifest_of, work_of


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has been done. ``backup`` is its name; empty where there was nothing to do."""

    backup: str
    changed: Sequence[PurePosixPath]
    recovery: Recovery


def migrate(plan: Plan, observe: Observe = unobserved, trial: Trial = try_router) -> Outcome:
    """Carry the plan out.

    MigrationError leaves the folder as it was, and says so if for once it could not. From a kill
    ``recover`` makes the old or the new state. Blocks; not to be called where an event loop runs.
    """
    folder = plan.folder
    with folder_lock(folder):
        recovery = recover_locked(folder, observe)
        work = work_of(plan)
        if not plan.changes:
            return Outcome("", (), recovery)
        observe(Step.CHECK_PLAN)
        check_plan(plan)
        made = decided(work, observe, trial)
        commit(work, made, observe)
    moved = [move.target for move in (*work.moves, *work.links)]
    return Outcome(made.name, [*work.placed, *moved], recovery)


def decided(work: Work, observe: Observe, trial: Trial) -> Backup:
    """Everything up to the decision; whatever goes wrong before it is undone."""
    folder = work.folder
    made: Backup | None = None
    try:
        with disk_errors(folder):
            manifest = manifest_of(work, backup.next_name(folder))
            staging.begin(folder, observe)
            made = backup.make_backup(folder, manifest, work.contents, observe)
            tree = staging.stage(work, observe)
            observe(Step.TRY_ROUTER)
            trial(tree, work.plan)
            staging.settle(work)
            observe(Step.CHECK_AGAIN)
            check_plan(work.plan)
            journal.decide(folder, journal_of(work, made), observe)
    except BaseException:
        give_up(folder, made, observe)
        raise
    return made


def give_up(folder: Path, made: Backup | None, observe: Observe) -> None:
    """Throw away what was prepared. What cannot be is thrown away by ``recover``."""
    with suppress(OSError):
        journal.clear(folder, observe)
        backup.drop_partial(folder)
        if made is not None:
            backup.drop(made)


def journal_of(work: Work, made: Backup) -> Journal:
    """The whole commit: renames of what lies ready."""
    pending = made.inside / backup.PENDING
    actions: list[Action] = [Move(path=pending, target=TRASH / backup.PENDING)]
    for folder in work.folders:
        mode = new_like((work.folder / folder).parent, FOLDER_BITS).st_mode
        actions.append(MakeFolder(path=folder, mode=mode))
    actions += [Move(path=move.path, target=move.target) for move in work.moves]
    for number, link in enumerate(work.links):
        actions.append(Place(staged=LINKS / str(number), path=link.target))
        actions.append(Move(path=link.path, target=TRASH / str(number)))
    actions += [Place(staged=TREE / path, path=path) for path in work.placed]
    return Journal(of="migration", actions=tuple(actions))


def commit(work: Work, made: Backup, observe: Observe) -> None:
    """Carry out what is decided; where the disk refuses, go back."""
    try:
        journal.complete(work.folder, journal_of(work, made), observe)
    except OSError as error:
        why = disk_error(work.folder, error)
        go_back(work, made, why, observe)
        raise MigrationError(f"{why}; {AS_BEFORE}") from None


def go_back(work: Work, made: Backup, why: str, observe: Observe) -> None:
    """Undo what was done. Its journal takes the place of the other one in one moment."""
    try:
        restore(restoration_of(made), observe)
    except (OSError, MigrationError) as error:
        message = f"{why}; going back failed too ({error}): {work.folder} is half migrated"
        raise MigrationError(f"{message}; mend that, then roll back to {made.name}") from None
