"""The plan of a migration: what is to be done to a folder, told before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.environment import migrated_environment
from llm_runner_router.migrate.json_file import rewritten
from llm_runner_router.migrate.package_json import migrated_package
from llm_runner_router.migrate.parts import (
    EVERYTHING,
    REGISTRY_PARTS,
    Part,
    Planned,
    joined,
    named,
    told,
)
from llm_runner_router.migrate.plain_file import linked_parent
from llm_runner_router.migrate.plan import Plan, WriteFile
from llm_runner_router.migrate.plan_config import ConfigPlan, plan_config
from llm_runner_router.migrate.plan_registry import WHOLE_REGISTRY, RegistryPlan, plan_registry
from llm_runner_router.migrate.project import ENVIRONMENT, PACKAGE, REGISTRY, Project, read_project
from llm_runner_router.migrate.secret_shapes import without_secrets
from llm_runner_router.migrate.strangers import is_known, without_strangers
from llm_runner_router.migrate.versions import Detected, detected, source_version, target_version

MAX_USES = 100
MAX_CLUES = 6
KNOWN = (
    "a folder with anything that only LLM Runner Router has; "
    "with --from VERSION it is taken for one of that version"
)
IMPORT = f"`llm-router models import {REGISTRY}` gives them to a running service"


def plan_of(
    folder: Path,
    parts: frozenset[Part] = EVERYTHING,
    source: str | None = None,
    target: str = "latest",
) -> Plan:
    """What is to be done to the ``parts`` of ``folder``; nothing is changed.

    ``source`` is the version that the folder is of, told by its content where it is ``None``.
    InvalidConfigError and InvalidRequestError name the file, the place in it, the value and what is
    allowed; AlreadyExistsError what would be overwritten.
    """
    target_version(target)
    project = read_project(folder, parts)
    given = None if source is None else Detected(source_version(source), ())
    own = without_strangers(project)
    found = given or detected(own.clues())
    registry, config = RegistryPlan(Planned(), {}), ConfigPlan(Planned(), None, {})
    if parts & REGISTRY_PARTS:
        registry = plan_registry(own, parts)
    if Part.CONFIG in parts:
        keeps_models = parts == EVERYTHING and registry.has_entries()
        config = plan_config(project, keeps_models=keeps_models)
    environment = plan_environment(project) if Part.ENV in parts else Planned()
    package = plan_package(project, found.version) if Part.PACKAGE in parts else Planned()
    planned = joined((config.planned, environment, package, registry.planned))
    if given is None and planned.changes and not is_known(own):
        raise InvalidConfigError("folder", str(folder), KNOWN)
    is_tried = bool(parts & WHOLE_REGISTRY and registry.content)
    plan = Plan(
        folder=folder,
        source=found.version,
        changes=planned.changes,
        notes=[*evidence(found, planned), *planned.notes],
        config=config.path,
        registry=REGISTRY if is_tried else None,
    )
    plan = whole(plan, project, config, registry) if parts == EVERYTHING else plan
    return replace(plan, notes=list(map(without_secrets, plan.notes)))


def evidence(found: Detected, planned: Planned) -> list[str]:
    """What the version of a folder that is changed was told by."""
    words = "; ".join(clue.words for clue in found.clues[:MAX_CLUES])
    return [f"version {found.version}, told by {words}"] if words and planned.changes else []


def whole(plan: Plan, project: Project, config: ConfigPlan, registry: RegistryPlan) -> Plan:
    """The plan of all parts: with the registry of the service, and what only the user can do."""
    notes = list(plan.notes)
    database = database_of(project.folder, config.content) if registry.has_entries() else None
    if database is not None and not plan.changes:
        notes.append(f"{database}, the registry of the service, is not there: {IMPORT}")
        database = None
    elif database is None and plan.changes and registry.has_entries():
        notes.append(f"the registry of the service stays: {IMPORT}")
    notes += [*code_notes(project), *project.notes]
    return replace(plan, database=database, notes=notes)


def plan_environment(project: Project) -> Planned:
    """``.env`` with today's names."""
    if project.environment is None:
        return Planned()
    with named(ENVIRONMENT):
        result = migrated_environment(project.environment)
    if result.text == project.environment:
        return Planned((), result.notes)
    before, after = (
        text.encode(errors="surrogateescape") for text in (project.environment, result.text)
    )
    return Planned([WriteFile(ENVIRONMENT, before, after, result.fields)], result.notes)


def plan_package(project: Project, version: str) -> Planned:
    """``package.json`` with today's release."""
    file = project.package
    if file is None:
        return Planned()
    with named(PACKAGE):
        result = migrated_package(file.content, version)
    after = rewritten(file, result.content)
    changes = [] if after == file.data else [WriteFile(PACKAGE, file.data, after, result.fields)]
    return Planned(changes, told(PACKAGE, result.notes))


def database_of(folder: Path, config: Mapping[str, Any]) -> PurePosixPath | None:
    """The registry that is made for the service; ``None`` where it is there, or elsewhere."""
    text = config.get("registry", {}).get("path")
    if not isinstance(text, str):
        return None
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or not path.parts or (folder / path).exists():
        return None
    return path if linked_parent(folder, path) is None else None


def code_notes(project: Project) -> list[str]:
    """Where source code uses what has another name now, and that nobody rewrites it."""
    uses = (
        f"{path}:{use.line}: {use.old} is {use.new} now"
        for path, script in project.scripts.items()
        for use in script.uses
    )
    notes = list(islice(uses, MAX_USES))
    more = sum(len(script.uses) for script in project.scripts.values()) - len(notes)
    return [*notes, f"and {more} more places in source code"] if more else notes
