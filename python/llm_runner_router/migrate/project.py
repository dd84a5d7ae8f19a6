"""What a folder of an older version holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from llm_runner_router.config.sources import FILES, MAX_FILE_BYTES
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.environment import entries_of
from llm_runner_router.migrate.javascript import Script
from llm_runner_router.migrate.json_file import JsonFile, read_json
from llm_runner_router.migrate.own_configs import own_configs
from llm_runner_router.migrate.parts import EVERYTHING, REGISTRY_PARTS, Part, named
from llm_runner_router.migrate.plain_file import read_plain
from llm_runner_router.migrate.relative_path import is_inside
from llm_runner_router.migrate.surroundings import (
    packages_below,
    scripts_of,
    starters_of,
    variables_in_scripts,
)
from llm_runner_router.migrate.versions import (
    COMMONJS_VERSIONS,
    MODULE_VERSIONS,
    Clue,
    Version,
    config_clues,
    environment_clues,
    module_clues,
    package_clues,
    registry_clues,
)
from llm_runner_router.registry.registry_file import MAX_BYTES

CONFIGS = tuple(map(PurePosixPath, FILES))
SCRIPTED_CONFIGS = tuple(
    PurePosixPath("config", name) for name in ("new-config.json", "old-config.json")
)
"""What the guide's script writes, and what it reads."""
ENVIRONMENT = PurePosixPath(".env")
PACKAGE = PurePosixPath("package.json")
REGISTRY = PurePosixPath("models/registry.json")
OLD_REGISTRY = PurePosixPath("models/old-registry.json")


@dataclass(frozen=True, slots=True)
class Project:
    """The files of a folder that tell its version, as they were read.

    ``configs`` are in the order in which the service looks for them. ``spare_configs`` are read by
    no service: those of the guide's script, then those that source code names. ``notes`` tell who
    starts the service, and of other folders to migrate.
    """

    folder: Path
    configs: Mapping[PurePosixPath, JsonFile]
    spare_configs: Mapping[PurePosixPath, JsonFile]
    environment: str | None
    package: JsonFile | None
    registries: Mapping[PurePosixPath, JsonFile]
    scripts: Mapping[PurePosixPath, Script]
    notes: Sequence[str]

    def clues(self) -> list[Clue]:
        """What tells the version of the folder, what counts most first."""
        configs = {**self.configs, **self.spare_configs}
        clues = [clue for path, file in configs.items() for clue in clues_of(path, file)]
        for path, script in self.scripts.items():
            if script.path_given or script.loads():
                clues.append(Clue(f"{path}: constructor or loadModel", frozenset({Version.V0})))
        if self.package is not None:
            with named(PACKAGE):
                clues += package_clues(str(PACKAGE), self.package.content)
        for path, script in self.scripts.items():
            clues += script_clues(path, script)
        if self.package is not None:
            clues += module_clues(str(PACKAGE), self.package.content)
        for path, file in self.registries.items():
            clues += registry_clues(str(path), file.content)
        names = [entry.name for entry in entries_of(self.environment or "")]
        return clues + environment_clues(str(ENVIRONMENT), names)


def clues_of(path: PurePosixPath, file: JsonFile) -> list[Clue]:
    """What a configuration tells."""
    return config_clues(str(path), file.content)


def script_clues(path: PurePosixPath, script: Script) -> list[Clue]:
    """What the way in which a script gets at the router tells."""
    if script.requires:
        return [Clue(f"{path}: require", COMMONJS_VERSIONS)]
    return [Clue(f"{path}: import", MODULE_VERSIONS)] if script.imports else []


def read_project(folder: Path, parts: frozenset[Part] = EVERYTHING) -> Project:
    """Everything in ``folder`` that a migration of ``parts`` looks at.

    InvalidConfigError names a wrong file of one of the parts. What belongs to others, and a
    configuration that others go before, only tells the version: where it cannot be read, it tells
    nothing.
    """
    if not folder.is_dir():
        raise InvalidConfigError("folder", str(folder), "a folder that is there")
    with_models = bool(parts & {Part.CONFIG, Part.MODELS})
    packages = files_of(folder, (PACKAGE,), MAX_FILE_BYTES, needed=Part.PACKAGE in parts)
    scripts = scripts_of(folder)
    configs = files_of(folder, CONFIGS, MAX_FILE_BYTES, needed=with_models)
    spare = [*SCRIPTED_CONFIGS, *named_configs(scripts)]
    is_used = with_models and not own_configs(configs, given_files(scripts))
    return Project(
        folder=folder,
        configs=configs,
        spare_configs=spare_files(folder, spare, needed=is_used),
        environment=environment_of(folder, needed=Part.ENV in parts),
        package=packages.get(PACKAGE),
        registries=files_of(
            folder, (REGISTRY, OLD_REGISTRY), MAX_BYTES, needed=bool(parts & REGISTRY_PARTS)
        ),
        scripts=scripts,
        notes=notes_of(folder),
    )


def given_files(scripts: Mapping[PurePosixPath, Script]) -> list[PurePosixPath]:
    """What source code gives the router as its configuration.

    Paths are taken from the folder, where programs are started.
    """
    texts = (text for script in scripts.values() for text in script.config_files)
    return list(dict.fromkeys(map(PurePosixPath, texts)))


def named_configs(scripts: Mapping[PurePosixPath, Script]) -> list[PurePosixPath]:
    """Those of the given files that lie in the folder, and that no service reads."""
    known = {*CONFIGS, *SCRIPTED_CONFIGS}
    return [
        path
        for path in given_files(scripts)
        if path.suffix == ".json" and is_inside(path) and path not in known
    ]


def spare_files(
    folder: Path, paths: Sequence[PurePosixPath], *, needed: bool
) -> dict[PurePosixPath, JsonFile]:
    """Those of the files that are there; where they are needed it is the first that counts."""
    found: dict[PurePosixPath, JsonFile] = {}
    for path in paths:
        found |= files_of(folder, (path,), MAX_FILE_BYTES, needed=needed and not found)
    return found


@contextmanager
def missing_unless(*, needed: bool) -> Iterator[None]:
    """Let the errors of files out where they are needed."""
    try:
        yield
    except InvalidConfigError:
        if needed:
            raise


def environment_of(folder: Path, *, needed: bool) -> str | None:
    """The text of ``.env``."""
    data: bytes | None = None
    with missing_unless(needed=needed):
        data = read_plain(folder, ENVIRONMENT, MAX_FILE_BYTES)
    return None if data is None else data.decode(errors="surrogateescape")


def notes_of(folder: Path) -> list[str]:
    """What the user should know of the files that start the service, and of packages below."""
    try:
        return [*starters_of(folder), *variables_in_scripts(folder), *packages_below(folder)]
    except OSError as error:
        allowed = f"a folder that can be read ({error.strerror})"
        raise InvalidConfigError("folder", str(folder), allowed) from None


def files_of(
    folder: Path, paths: Sequence[PurePosixPath], limit: int, *, needed: bool
) -> dict[PurePosixPath, JsonFile]:
    """Those of the files that are there, and of those that are not needed what can be read."""
    found: dict[PurePosixPath, JsonFile] = {}
    for path in paths:
        with missing_unless(needed=needed):
            data = read_plain(folder, path, limit)
            if data is not None:
                found[path] = read_json(str(path), data, limit)
    return found
