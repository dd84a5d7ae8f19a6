"""What a migration does to configuration files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from llm_runner_router.migrate.config import check_config, migrated_config
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.json_file import JsonFile, JsonStyle, rewritten, written
from llm_runner_router.migrate.parts import Planned, named, told
from llm_runner_router.migrate.plan import WriteFile
from llm_runner_router.migrate.project import CONFIGS, Project
from llm_runner_router.migrate.setting_files import check_files
from llm_runner_router.migrate.strangers import notes_of_strangers, without_strangers
from llm_runner_router.migrate.transformed import Transformed

DATABASE = PurePosixPath("models/registry.sqlite")
KEPT_THERE = "the service keeps its models there"


@dataclass(frozen=True, slots=True)
class ConfigPlan:
    """The changes, and the configuration that the service will read; no ``path``: none."""

    planned: Planned
    path: PurePosixPath | None
    content: Mapping[str, Any]


def plan_config(project: Project, *, keeps_models: bool) -> ConfigPlan:
    """All configuration files in today's form.

    With ``keeps_models`` the one that the service reads says where it keeps them, and is made
    where there is none. What is another program's stays. InvalidConfigError where a value is not
    allowed.
    """
    sources = sources_of(project)
    results = {target: result_of(path, file) for target, (path, file) in sources.items()}
    if keeps_models:
        first = next(iter(results), None) or free_place(project)
        results[first] = with_registry(results.get(first, Transformed({}, ())))
    writes = [write_of(sources, target, result) for target, result in results.items()]
    changes = [write for write in writes if write.before != write.after]
    path = next(iter(results), None)
    if path is not None:
        with named(sources[path][0] if path in sources else path):
            check_files(project.folder, results[path])
    content = results[path].content if path is not None else {}
    return ConfigPlan(Planned(changes, notes_of(project, results)), path, content)


def sources_of(project: Project) -> dict[PurePosixPath, tuple[PurePosixPath, JsonFile]]:
    """The files that are written, each with the one that it is made of."""
    own = without_strangers(project).configs
    spare = next(iter(project.spare_configs.items()), None)
    if own or spare is None:
        return {path: (path, file) for path, file in own.items()}
    return {free_place(project): spare}


def free_place(project: Project) -> PurePosixPath:
    """Where a configuration is made, where none is the router's: the service looks there first.

    One is free, as OWN_NAME is the router's wherever it is.
    """
    return next(path for path in CONFIGS if path not in project.configs)


def result_of(path: PurePosixPath, file: JsonFile) -> Transformed:
    """A file in today's form, checked."""
    with named(path):
        result = migrated_config(file.content)
        check_config(result)
    return result


def with_registry(result: Transformed) -> Transformed:
    """The configuration with a place for the registry, unless it has one."""
    registry = result.content.get("registry", {})
    if any(registry.get(key) is not None for key in ("path", "url")):
        return result
    content = {**result.content, "registry": {**registry, "path": f"./{DATABASE}"}}
    added = Field("", Fate.ADDED, "registry.path", KEPT_THERE)
    fields = [field for field in result.fields if field.target not in {"registry", added.target}]
    replaced = [field for field in result.fields if field not in fields]
    notes = "null means not set"
    fields += [Field(field.path, Fate.UNMAPPED, note=notes) for field in replaced]
    return Transformed(content, [*fields, added], result.notes)


def write_of(
    sources: Mapping[PurePosixPath, tuple[PurePosixPath, JsonFile]],
    target: PurePosixPath,
    result: Transformed,
) -> WriteFile:
    """The file with its new content."""
    if target not in sources:
        return WriteFile(target, None, written(result.content, JsonStyle()), result.fields)
    path, file = sources[target]
    before = file.data if path == target else None
    return WriteFile(target, before, rewritten(file, result.content), result.fields)


def notes_of(project: Project, results: Mapping[PurePosixPath, Transformed]) -> list[str]:
    """What the user should know of the files."""
    first, *others = results or (None,)
    notes = [f"{other}: the service reads {first} and not this one" for other in others]
    notes += notes_of_strangers(project, first)
    if first is not None:
        notes += spare_notes(project, first)
    for path, result in results.items():
        notes += told(path, result.notes)
    return notes


def spare_notes(project: Project, first: PurePosixPath) -> list[str]:
    """What becomes of configurations that no service reads; ``first`` is the one that it will."""
    spare = list(project.spare_configs)
    made = spare[:1] if not without_strangers(project).configs else []
    notes = [f"{first} is made of {path}, which stays: the service reads {first}" for path in made]
    reason = f"{(made or [first])[0]} is there"
    return [*notes, *(f"{path} is not looked at: {reason}" for path in spare if path not in made)]
