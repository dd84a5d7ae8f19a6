"""What other programs have under names of ours: ``config.json`` is what many call their own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

from llm_runner_router.migrate.config import FLAT
from llm_runner_router.migrate.environment import NEW_NAMES, entries_of
from llm_runner_router.migrate.model_set import model_names
from llm_runner_router.migrate.own_configs import OWN_NAME, own_configs, own_sections
from llm_runner_router.migrate.package_json import depends
from llm_runner_router.migrate.project import CONFIGS, Project, given_files

COMMON = frozenset({"cache", "logging", "models", "server"})
"""Sections whose settings other programs have as well."""


def without_strangers(project: Project) -> Project:
    """The project with its own configurations alone."""
    return replace(project, configs=own_configs(project.configs, given_files(project.scripts)))


def strangers_of(project: Project) -> list[PurePosixPath]:
    """The configurations that say something, and nothing that is a setting of any version."""
    own = without_strangers(project).configs
    return [path for path in project.configs if path not in own]


def is_known(project: Project) -> bool:
    """Whether anything in the folder is plainly of a router: its files may be changed.

    InvalidConfigError where ``package.json`` is none.
    """
    is_configured = OWN_NAME in project.configs or any(
        any(key in FLAT for key in file.content) or set(own_sections(file.content)) - COMMON
        for file in (*project.configs.values(), *project.spare_configs.values())
    )
    names = (entry.name for entry in entries_of(project.environment or ""))
    return (
        is_configured
        or bool(project.scripts or project.registries)
        or (project.package is not None and depends(project.package.content))
        or any(name in NEW_NAMES for name in names)
        or bool(model_names(project.folder / "models"))
    )


def notes_of_strangers(project: Project, first: PurePosixPath | None) -> list[str]:
    """What is told of them; ``first`` is the configuration that the service should read."""
    notes = []
    for path in strangers_of(project):
        note = (
            f"{path} stays as it is: nothing in it is a setting of ours; is it another program's?"
        )
        if first is None:
            note += " A service that is started here reads it, unless --config names another one"
        elif CONFIGS.index(path) < CONFIGS.index(first):
            note += f" A service reads it first: start it with --config {first}"
        notes.append(note)
    return notes
