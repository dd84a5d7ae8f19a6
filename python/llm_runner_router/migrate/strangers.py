"""What other programs have under names of ours: ``config.json`` is what many call their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from llm_runner_router.config.errors import field_name
from llm_runner_router.config.tree import SECTIONS
from llm_runner_router.migrate.config import FLAT
from llm_runner_router.migrate.environment import NEW_NAMES, entries_of
from llm_runner_router.migrate.model_set import model_names
from llm_runner_router.migrate.package_json import depends
from llm_runner_router.migrate.project import CONFIGS, Project

COMMON = frozenset({"cache", "logging", "models", "server"})
"""Sections whose settings other programs have as well."""

OWN_NAME = PurePosixPath(".llmrouter.json")


def without_strangers(project: Project) -> Project:
    """The project with its own configurations alone."""
    strangers = strangers_of(project)
    own = {path: file for path, file in project.configs.items() if path not in strangers}
    return replace(project, configs=own)


def strangers_of(project: Project) -> list[PurePosixPath]:
    """The configurations that say something, and nothing that is a setting of any version."""
    named = {
        PurePosixPath(text) for script in project.scripts.values() for text in script.config_files
    }
    return [
        path
        for path, file in project.configs.items()
        if path not in named and is_strange(file.content)
    ]


def is_strange(config: Mapping[str, Any]) -> bool:
    """Whether keys are there, and none of them is ours."""
    says = any(not key.startswith("_") for key in config)
    return says and not any(key in FLAT for key in config) and not own_sections(config)


def own_sections(config: Mapping[str, Any]) -> list[str]:
    """The sections of a configuration that have settings of today, or say nothing."""
    return [
        key
        for key, value in config.items()
        if key in SECTIONS and (not value or (isinstance(value, dict) and has_setting(key, value)))
    ]


def has_setting(section: str, values: Mapping[str, Any]) -> bool:
    """Whether one of the keys of a section is a setting."""
    kind = SECTIONS[section]
    return any(field_name(kind, key) in kind.model_fields for key in values)


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
