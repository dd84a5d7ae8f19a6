"""What lies around the files that are migrated: source code, and who starts the old service."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path, PurePosixPath

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.environment import NEW_NAMES
from llm_runner_router.migrate.javascript import Script, read_script
from llm_runner_router.migrate.package_json import old_dependencies
from llm_runner_router.migrate.plain_file import read_plain

SCRIPTS = frozenset((".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx"))
NOT_OURS = frozenset(
    ("node_modules", "models", "migration-backup", "dist", "build", "coverage", "vendor")
)
MANIFEST = "package.json"
MAX_FOLDERS = 5000
MAX_SCRIPTS = 2000
MAX_SCRIPT_BYTES = 256 << 10
MAX_FILES = 200
MAX_USES = 20
"""Of variables in one script."""

STARTERS = (
    "ecosystem.config.*",
    "*.service",
    "Dockerfile*",
    "docker-compose*.y*ml",
    "compose*.y*ml",
    "*.sh",
    ".env.*",
)
"""Files beside the configuration that may name variables of the service."""


def scripts_of(folder: Path) -> Mapping[PurePosixPath, Script]:
    """The folder's own source files that use the router; those of packages are not looked at."""
    found: dict[PurePosixPath, Script] = {}
    for path in islice(script_paths(folder), MAX_SCRIPTS):
        text = text_of(folder, path, MAX_SCRIPT_BYTES)
        script = read_script(text) if text is not None else None
        if script is not None:
            found[path] = script
    return found


def script_paths(folder: Path) -> Iterator[PurePosixPath]:
    """Source files in the order of their names."""
    return (path for path in own_paths(folder) if path.suffix in SCRIPTS)


def own_paths(folder: Path) -> Iterator[PurePosixPath]:
    """The folder's own files in the order of their names; links are not followed."""
    for base, folders, files in islice(os.walk(folder), MAX_FOLDERS):
        folders[:] = sorted(
            name for name in folders if name not in NOT_OURS and not name.startswith(".")
        )
        for name in sorted(files):
            yield PurePosixPath((Path(base) / name).relative_to(folder))


def packages_below(folder: Path) -> Iterator[str]:
    """Where else, as in the packages of a workspace, an older release is depended on."""
    below = (path for path in own_paths(folder) if path.name == MANIFEST and path.parent.name)
    for path in islice(below, MAX_FILES):
        try:
            found = old_dependencies(json.loads(text_of(folder, path, MAX_SCRIPT_BYTES) or "{}"))
        except (ValueError, RecursionError, AttributeError, InvalidConfigError):
            continue  # it is not this one that is migrated
        if found:
            yield f"{path} is of an older version too, and another folder to migrate: {path.parent}"


def text_of(folder: Path, path: PurePosixPath, limit: int) -> str | None:
    """The text of a file; ``None`` where it cannot be read: it is only looked at."""
    try:
        data = read_plain(folder, path, limit)
    except InvalidConfigError:
        return None
    return None if data is None else data.decode(errors="replace")


def starters_of(folder: Path) -> list[str]:
    """What the user should know of the files that start the service, and of others' variables."""
    names = sorted(file.name for file in folder.iterdir())
    found = [name for name in names if any(fnmatch(name, pattern) for pattern in STARTERS)]
    notes: list[str] = []
    for name in found[:MAX_FILES]:
        if name.startswith("ecosystem.config."):
            notes.append(f"{name}: pm2 starts the old service by it (`pm2 stop llm-router`)")
        elif name.endswith(".service"):
            notes.append(f"{name}: systemd starts the old service by it (`systemctl stop {name}`)")
        text = text_of(folder, PurePosixPath(name), MAX_SCRIPT_BYTES)
        notes += old_variables(name, text or "")
    return notes


def variables_in_scripts(folder: Path) -> Iterator[str]:
    """Where the folder's own code, or a command of its package, names variables of older versions.

    What a starter says is told by ``starters_of``.
    """
    for path in [PurePosixPath(MANIFEST), *islice(script_paths(folder), MAX_SCRIPTS)]:
        if not any(fnmatch(str(path), pattern) for pattern in STARTERS):
            text = text_of(folder, path, MAX_SCRIPT_BYTES)
            yield from islice(old_variables(str(path), text or ""), MAX_USES)


def old_variables(name: str, text: str) -> Iterator[str]:
    """Where a file names variables that are called otherwise now."""
    pattern = re.compile(rf"(?<!\w)({'|'.join(NEW_NAMES)})(?!\w)")
    for number, line in enumerate(text.split("\n"), 1):
        for found in pattern.finditer(line):
            yield f"{name}:{number}: {found[1]} is called {NEW_NAMES[found[1]]} now"
