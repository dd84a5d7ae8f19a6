"""What a migration does to the registry file, its prompts and the model files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.json_file import JsonFile, JsonStyle, rewritten, written
from llm_runner_router.migrate.leaves import leaf_paths, leaves_of, same
from llm_runner_router.migrate.model_contexts import KEYS as CONTEXT_KEYS
from llm_runner_router.migrate.model_contexts import FittedRegistry, fitted_registry
from llm_runner_router.migrate.model_files import ModelFiles, files_left, model_files
from llm_runner_router.migrate.parts import Part, Planned, named, told
from llm_runner_router.migrate.plan import WriteFile
from llm_runner_router.migrate.plan_config import DATABASE
from llm_runner_router.migrate.project import OLD_REGISTRY, REGISTRY, Project
from llm_runner_router.migrate.registry import migrated_registry
from llm_runner_router.migrate.transformed import UNMAPPED, Transformed
from llm_runner_router.registry.registry_file import parsed

WHOLE_REGISTRY = frozenset({Part.REGISTRY, Part.MODELS})
"""Parts that need the registry file as a whole in today's form."""

TEMPLATES = ("prompts", "templates")
ASIDE = f"{UNMAPPED}.templates"


@dataclass(frozen=True, slots=True)
class RegistryPlan:
    """The changes, and the registry document as it will be; empty where there is none."""

    planned: Planned
    content: Mapping[str, Any]

    def has_entries(self) -> bool:
        """Whether there is anything for a service to keep."""
        return any(self.content.get(key) for key in ("models", "templates"))


def plan_registry(project: Project, parts: frozenset[Part]) -> RegistryPlan:
    """The registry file of today, and the model files where it says that they lie.

    InvalidRequestError names the place of what is not allowed.
    """
    path = next(iter(project.registries), REGISTRY)
    file = project.registries.get(path)
    result = Transformed({}, ())
    if file is not None:
        with named(path):
            result = transformed(file.content, parts)
    fit = FittedRegistry(result.content)
    if parts & WHOLE_REGISTRY and is_taken_over(project, file, result.content):
        fit = fitted_registry(project.folder, result.content)
    moved = ModelFiles((), (), fit.content)
    if Part.MODELS in parts:
        moved = files_of_models(project, fit.content)
    fields = [*moved_fields(result, moved.registry), *moved.fields]
    writes = registry_writes(path, file, moved.registry, fields)
    if parts & WHOLE_REGISTRY:
        check_registry(writes)
    notes = [*told(path, result.notes), *fit.notes, *moved.notes, *notes_of(project)]
    return RegistryPlan(Planned([*writes, *moved.configs, *moved.moves], notes), moved.registry)


def files_of_models(project: Project, registry: Mapping[str, Any]) -> ModelFiles:
    """What becomes of the model files: nothing where a service knows where they are."""
    keeper = registry_of_service(project)
    if keeper is None:
        return model_files(project.folder, registry)
    return files_left(project.folder, registry, keeper)


def is_taken_over(project: Project, file: JsonFile | None, content: Mapping[str, Any]) -> bool:
    """Whether a service will have its models from the file, or the file becomes one of today.

    Once a service has a registry of its own, a file of today says nothing of its models.
    """
    if file is None:
        return False
    return registry_of_service(project) is None or not same(file.content, content)


def registry_of_service(project: Project) -> str | None:
    """The registry that a service of this version has filled, in words; ``None`` where none has."""
    config = next((file.content for file in project.configs.values()), {})
    said = config.get("registry")
    section = said if isinstance(said, Mapping) else {}
    if section.get("url") is not None:
        return "registry.url of the configuration"
    path = section.get("path")
    path = path if isinstance(path, str) and path else str(DATABASE)
    return path if os.path.lexists(project.folder / path) else None


def registry_writes(
    path: PurePosixPath,
    file: JsonFile | None,
    content: Mapping[str, Any],
    fields: Sequence[Field],
) -> Sequence[WriteFile]:
    """The registry file, where it changes; ``file`` is what it is made of, at ``path``."""
    if file is None:
        after = written(content, JsonStyle()) if content else None
    else:
        after = rewritten(file, content)
    before = file.data if file is not None and path == REGISTRY else None
    return [] if after is None or after == before else [WriteFile(REGISTRY, before, after, fields)]


def check_registry(writes: Sequence[WriteFile]) -> None:
    """Refuse what the service would not read."""
    for write in writes:
        with named(write.path):
            parsed(write.after)


def transformed(old: Mapping[str, Any], parts: frozenset[Part]) -> Transformed:
    """The document with those of its parts in today's form that are wanted."""
    if parts & WHOLE_REGISTRY:
        return migrated_registry(old)
    if Part.PROMPTS in parts:
        return migrated_prompts_alone(old)
    return Transformed(old, ())


def migrated_prompts_alone(old: Mapping[str, Any]) -> Transformed:
    """The document with its prompts as templates, and all the rest as it was."""
    result = migrated_registry(old)
    if not any(key in old for key in TEMPLATES):
        fields = [Field(leaf, Fate.KEPT, leaf) for leaf in leaf_paths(old)]
        return Transformed(old, fields)
    content: dict[str, Any] = {}
    for key, value in old.items():
        if key not in TEMPLATES:
            content[key] = value
        elif "templates" in result.content:
            content["templates"] = result.content["templates"]
    aside = result.content.get(UNMAPPED, {})
    if "templates" in aside:
        content[UNMAPPED] = {**content.get(UNMAPPED, {}), "templates": aside["templates"]}
    ours = (*TEMPLATES, ASIDE)
    fields = [field for field in result.fields if begins(field.path or field.target, ours)]
    kept = [leaf for leaf in leaf_paths(old) if not begins(leaf, ours)]
    notes = [note for note in result.notes if begins(note, ours)]
    return Transformed(content, [*fields, *(Field(leaf, Fate.KEPT, leaf) for leaf in kept)], notes)


def begins(path: str, places: Sequence[str]) -> bool:
    """Whether a path, or a note that begins with one, is of one of the places."""
    return any(path == place or path.startswith((f"{place}[", f"{place}.")) for place in places)


def moved_fields(result: Transformed, content: Mapping[str, Any]) -> list[Field]:
    """The fields, those of sources that have changed since among them."""
    before, after = dict(leaves_of(result.content)), dict(leaves_of(content))
    return [
        field
        if same(before.get(field.target), after.get(field.target))
        else replace(field, fate=Fate.MAPPED, note=why_changed(field.target))
        for field in result.fields
    ]


def why_changed(target: str) -> str:
    """Why the value at ``target`` is another one than the document had."""
    is_context = target.rpartition(".")[2] in CONTEXT_KEYS
    return "no longer than the file was made for" if is_context else "the file moves there"


def notes_of(project: Project) -> list[str]:
    """What the user should know of the files."""
    both = REGISTRY in project.registries and OLD_REGISTRY in project.registries
    return [f"{OLD_REGISTRY} is not looked at: {REGISTRY} is there"] if both else []
