"""A folder of version 1.0, a plan for it written by hand, and what a folder holds."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from stat import S_IMODE, S_ISDIR
from typing import Any

from llm_runner_router.migrate.plan import MoveFile, Plan, WriteFile
from llm_runner_router.migrate.relative_path import BACKUPS

Snapshot = dict[str, tuple[int, bytes | str | None]]
"""By path: the mode, and the content of a file, the text of a link, or ``None`` for a folder."""

MODEL = b"GGUF" + bytes(60)
OLD_CONFIG = b'{"maxConcurrentRequests": 4, "cacheTTL": 0}'
OLD_ENVIRONMENT = b"LLM_LOG_LEVEL=warn\nSECRET=hush\n"
OLD_REGISTRY = b'{"models": [{"name": "chat", "type": "gguf", "path": "./models/chat.gguf"}]}'
NEW_ENVIRONMENT = b"LOG_LEVEL=warn\nSECRET=hush\n"
NEW_CONFIG: dict[str, Any] = {
    "performance": {"maxConcurrent": 4},
    "cache": {"ttl": 0},
    "registry": {"path": "./models/registry.sqlite"},
}
NEW_REGISTRY = {
    "version": "1.2.0",
    "models": [
        {"id": "chat", "name": "chat", "format": "gguf", "source": "./models/cache/chat.gguf"}
    ],
    "templates": [],
    "strategies": {},
}
DATABASE = PurePosixPath("models/registry.sqlite")


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder in memory where there is that, for tests that write much and lose no power."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)


def json_bytes(value: object) -> bytes:
    return json.dumps(value, indent=2).encode() + b"\n"


def write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def old_folder(folder: Path) -> Path:
    """Files of many modes, a link among them, and things that nobody touches."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "config/config.json", OLD_CONFIG, 0o600)
    write(folder / ".env", OLD_ENVIRONMENT, 0o640)
    write(folder / "models/registry.json", OLD_REGISTRY, 0o664)
    write(folder / "models/chat.gguf", MODEL, 0o444)
    write(folder / "package.real.json", b'{"dependencies": {}}', 0o604)
    (folder / "package.json").symlink_to("package.real.json")
    write(folder / "node_modules/left/index.js", b"left", 0o755)
    write(folder / "models/other.bin", b"other", 0o644)
    (folder / "models").chmod(0o775)
    (folder / "config").chmod(0o700)
    return folder


def plan_of(folder: Path) -> Plan:
    """What a migration of ``old_folder`` does."""
    return Plan(
        folder,
        "1.0",
        [
            WriteFile(PurePosixPath("config/config.json"), OLD_CONFIG, json_bytes(NEW_CONFIG)),
            WriteFile(
                PurePosixPath("models/registry.json"), OLD_REGISTRY, json_bytes(NEW_REGISTRY)
            ),
            MoveFile(PurePosixPath("models/chat.gguf"), PurePosixPath("models/cache/chat.gguf")),
            WriteFile(PurePosixPath("models/configs/chat.json"), None, b"{}\n"),
            WriteFile(
                PurePosixPath("package.json"), b'{"dependencies": {}}', b'{"type": "module"}'
            ),
            WriteFile(PurePosixPath(".env"), OLD_ENVIRONMENT, NEW_ENVIRONMENT),
        ],
        config=PurePosixPath("config/config.json"),
        registry=PurePosixPath("models/registry.json"),
        database=DATABASE,
    )


def make_database(tree: Path, plan: Plan) -> None:
    """In the place of a router: the database that one would make."""
    if plan.database is not None:
        (tree / plan.database).write_bytes(b"a database")


def snapshot(folder: Path, *, backups: bool = False) -> Snapshot:
    """Everything below ``folder``, by default without the backups."""
    found: Snapshot = {}
    for place, folders, files in os.walk(folder):
        if not backups and BACKUPS in folders:
            folders.remove(BACKUPS)
        for name in (*folders, *files):
            path = Path(place, name)
            state = path.lstat()
            content: bytes | str | None = None
            if path.is_symlink():
                content = str(path.readlink())
            elif not S_ISDIR(state.st_mode):
                content = path.read_bytes()
            found[str(path.relative_to(folder))] = (S_IMODE(state.st_mode), content)
    return found
