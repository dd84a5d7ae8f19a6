"""The section "Configuration Migration"."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.guide.command_line import done
from integration.guide.projects import CONFIGURATION, read_json, state
from llm_runner_router import LLMRouter

VARIABLES = {
    "LLM_MAX_CONCURRENT": ("MAX_CONCURRENT_REQUESTS", "7"),
    "LLM_CACHE_ENABLED": ("CACHE_ENABLED", "false"),
    "LLM_LOG_LEVEL": ("LOG_LEVEL", "error"),
}


def put(folder: Path, values: Any) -> Path:
    file = folder / "config.json"
    file.write_text(json.dumps(values))
    return file


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("old", [True, False])
async def test_the_variables_work_by_both_names(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, old: bool
) -> None:
    for before, (after, value) in VARIABLES.items():
        monkeypatch.setenv(before if old else after, value)
    async with LLMRouter() as router:
        config = await router.get_config()
    assert config["performance"]["max_concurrent"] == 7
    assert config["cache"]["enabled"] is False
    assert config["logging"]["level"] == "error"
    told = {name for name in VARIABLES if name in caplog.text}
    assert told == (set(VARIABLES) if old else set())


async def test_the_new_name_of_a_variable_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_MAX_CONCURRENT", "7")
    monkeypatch.setenv("MAX_CONCURRENT_REQUESTS", "8")
    async with LLMRouter() as router:
        assert (await router.get_config())["performance"]["max_concurrent"] == 8


def test_the_variables_in_env(tmp_path: Path) -> None:
    lines = [f"{old}={value}\n" for old, (_, value) in VARIABLES.items()]
    (tmp_path / ".env").write_text("".join(lines))
    done("migrate", "env", "--yes")
    wanted = [f"{new}={value}\n" for new, value in VARIABLES.values()]
    assert (tmp_path / ".env").read_text() == "".join(wanted)


def test_the_structure_of_the_file(tmp_path: Path) -> None:
    page = read_json(CONFIGURATION)
    file = put(tmp_path, page["old"])
    done("migrate", "config", "--yes")
    assert read_json(file) == page["new"]
    after = state(tmp_path)
    assert done("migrate", "config", "--yes", "--json").json["nothingToDo"]
    assert state(tmp_path) == after


def test_the_names_of_the_guides_script(tmp_path: Path) -> None:
    """It reads ``config/old-config.json``; the result is where the service looks for it."""
    page = read_json(CONFIGURATION)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/old-config.json").write_text(json.dumps(page["old"]))
    done("migrate", "config", "--yes")
    assert read_json(tmp_path / "config/config.json") == page["new"]
    assert read_json(tmp_path / "config/old-config.json") == page["old"]


async def test_both_forms_mean_the_same(tmp_path: Path) -> None:
    page = read_json(CONFIGURATION)
    got = []
    for form in ("old", "new"):
        put(tmp_path, page[form])
        async with LLMRouter() as router:
            got.append(await router.get_config())
    assert got[0] == got[1]
    assert got[0]["models"]["cache_dir"] == str(tmp_path / "models")
