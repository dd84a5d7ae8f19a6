from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from llm_runner_router.migrate import surroundings
from llm_runner_router.migrate.surroundings import (
    packages_below,
    scripts_of,
    starters_of,
    variables_in_scripts,
)

CODE = "import { LLMRouter } from 'llm-runner-router';"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_only_scripts_of_the_folder_itself_are_read(tmp_path: Path) -> None:
    for name in ("b.js", "src/a.ts", "src/deep/c.mjs"):
        write(tmp_path / name, CODE)
    for name in ("node_modules/x/a.js", ".git/a.js", "dist/a.js", "models/a.js", "readme.md"):
        write(tmp_path / name, CODE)
    write(tmp_path / "migration-backup/2026/app.js", CODE)
    write(tmp_path / "other.js", "import fs from 'fs';")
    write(tmp_path / "large.js", CODE + " " * surroundings.MAX_SCRIPT_BYTES)
    (tmp_path / "link.js").symlink_to("b.js")
    (tmp_path / "binary.js").write_bytes(b"\xff\xfe" + CODE.encode())
    wanted = ["b.js", "binary.js", "src/a.ts", "src/deep/c.mjs"]
    assert list(scripts_of(tmp_path)) == [PurePosixPath(name) for name in wanted]


def test_there_is_an_end_to_scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "MAX_SCRIPTS", 2)
    for name in ("a.js", "b.js", "c.js"):
        write(tmp_path / name, CODE)
    assert list(scripts_of(tmp_path)) == [PurePosixPath("a.js"), PurePosixPath("b.js")]


def test_there_is_an_end_to_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "MAX_FOLDERS", 2)
    for name in ("a.js", "a/b.js", "b/c.js"):
        write(tmp_path / name, CODE)
    assert list(scripts_of(tmp_path)) == [PurePosixPath("a.js"), PurePosixPath("a/b.js")]


def test_variables_in_code_are_told(tmp_path: Path) -> None:
    write(tmp_path / "package.json", '{"scripts": {\n"start": "LLM_LOG_LEVEL=info node a.js"}}')
    write(tmp_path / "src/a.js", "\nconst most = process.env.LLM_MAX_CONCURRENT;")
    write(tmp_path / "many.js", "LLM_LOG_LEVEL\n" * 1000)
    write(tmp_path / "ecosystem.config.js", "LLM_LOG_LEVEL")  # that one is told by starters_of
    told = list(variables_in_scripts(tmp_path))
    assert told[0] == "package.json:2: LLM_LOG_LEVEL is called LOG_LEVEL now"
    assert told[-1] == ("src/a.js:2: LLM_MAX_CONCURRENT is called MAX_CONCURRENT_REQUESTS now")
    assert {text.partition(":")[0] for text in told[1:-1]} == {"many.js"}
    assert len(told) == 2 + surroundings.MAX_USES


def test_who_starts_the_old_service_is_told(tmp_path: Path) -> None:
    write(tmp_path / "ecosystem.config.js", "module.exports = {}")
    write(tmp_path / "llm.service", "[Service]\nEnvironment=LLM_LOG_LEVEL=info\n")
    write(tmp_path / "docker-compose.yml", "LLM_CACHE_ENABLED: 1 # MY_LLM_LOG_LEVEL\n")
    write(tmp_path / ".env.production", "\nLLM_MAX_CONCURRENT=5\n")
    write(tmp_path / "notes.txt", "LLM_LOG_LEVEL")
    assert starters_of(tmp_path) == [
        ".env.production:2: LLM_MAX_CONCURRENT is called MAX_CONCURRENT_REQUESTS now",
        "docker-compose.yml:1: LLM_CACHE_ENABLED is called CACHE_ENABLED now",
        "ecosystem.config.js: pm2 starts the old service by it (`pm2 stop llm-router`)",
        "llm.service: systemd starts the old service by it (`systemctl stop llm.service`)",
        "llm.service:2: LLM_LOG_LEVEL is called LOG_LEVEL now",
    ]


def test_packages_of_a_workspace_are_told(tmp_path: Path) -> None:
    old = '{"dependencies": {"llm-runner-router": "^1.0.0"}}'
    write(tmp_path / "package.json", old)
    write(tmp_path / "packages/bot/package.json", old)
    write(tmp_path / "packages/new/package.json", old.replace("1.0.0", "1.2.0"))
    write(tmp_path / "packages/other/package.json", '{"name": "other"}')
    write(tmp_path / "node_modules/x/package.json", old)
    for number, broken in enumerate(("", "[]", "{", '{"dependencies": []}', "[" * 100_000)):
        write(tmp_path / f"packages/broken{number}/package.json", broken)
    (note,) = packages_below(tmp_path)
    assert note.startswith("packages/bot/package.json is of an older version too")
    assert note.endswith("another folder to migrate: packages/bot")
