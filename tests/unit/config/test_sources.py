from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import InvalidConfigError


def write(path: Path, values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(values if isinstance(values, str) else json.dumps(values))


def concurrent(folder: Path, explicit: Any = None, file: str | None = None, **environ: str) -> int:
    loaded = load_config(explicit, file, environment=environ, folder=folder)
    return loaded.config.performance.max_concurrent


def setting(value: int) -> dict[str, Any]:
    return {"performance": {"maxConcurrent": value}}


def test_files_are_searched_in_order(tmp_path: Path) -> None:
    assert concurrent(tmp_path) == 10
    write(tmp_path / ".llmrouter.json", setting(3))
    assert concurrent(tmp_path) == 3
    write(tmp_path / "config.json", setting(2))
    assert concurrent(tmp_path) == 2
    write(tmp_path / "config/config.json", setting(1))
    assert concurrent(tmp_path) == 1
    write(tmp_path / "other.json", setting(9))
    assert concurrent(tmp_path, file="other.json") == 9


def test_explicit_beats_environment_beats_file(tmp_path: Path) -> None:
    write(tmp_path / "config.json", setting(3))
    assert concurrent(tmp_path, MAX_CONCURRENT_REQUESTS="4") == 4
    assert concurrent(tmp_path, setting(5), MAX_CONCURRENT_REQUESTS="4") == 5


def test_layers_are_merged_key_by_key(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {"performance": {"maxConcurrent": 3, "maxQueue": 7}})
    loaded = load_config({"performance": {"timeout": 2000}}, environment={}, folder=tmp_path)
    performance = loaded.config.performance
    assert (performance.max_concurrent, performance.max_queue, performance.timeout) == (3, 7, 2000)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LLM_MAX_CONCURRENT", "MAX_CONCURRENT_REQUESTS"),
        ("LLM_CACHE_ENABLED", "CACHE_ENABLED"),
        ("LLM_LOG_LEVEL", "LOG_LEVEL"),
    ],
)
def test_old_names_work_and_warn(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, old: str, new: str
) -> None:
    values = {"MAX_CONCURRENT_REQUESTS": "7", "CACHE_ENABLED": "false", "LOG_LEVEL": "warn"}
    wanted = load_config(environment={new: values[new]}, folder=tmp_path).config
    assert not caplog.records
    assert load_config(environment={old: values[new]}, folder=tmp_path).config == wanted
    assert caplog.messages == [f"{old} is deprecated: use {new}"]


def test_an_empty_variable_sets_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "config.json", '{"performance": {"maxConcurrent": 4}}')
    assert concurrent(tmp_path, MAX_CONCURRENT_REQUESTS="", LLM_MAX_CONCURRENT=" ") == 4
    assert not caplog.text
    assert concurrent(tmp_path, MAX_CONCURRENT_REQUESTS="", LLM_MAX_CONCURRENT="3") == 3


def test_the_new_name_wins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert concurrent(tmp_path, MAX_CONCURRENT_REQUESTS="2", LLM_MAX_CONCURRENT="3") == 2
    assert "LLM_MAX_CONCURRENT" in caplog.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_CONCURRENT_REQUESTS", "many"),
        ("MAX_CONCURRENT_REQUESTS", "0"),
        ("CACHE_ENABLED", "maybe"),
        ("LOG_LEVEL", "loud"),
    ],
)
def test_wrong_variables_are_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        load_config(environment={name: value}, folder=tmp_path)
    assert caught.value.field == name


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"cache": {"ttl": NaN}}', '{"cache": {}, "cache": {}}', "[" * 100_000, "\x00"],
)
def test_broken_files_stop(tmp_path: Path, text: str) -> None:
    write(tmp_path / "config.json", text)
    with pytest.raises(InvalidConfigError):
        load_config(environment={}, folder=tmp_path)


def test_remarks_of_a_file_are_not_read(tmp_path: Path) -> None:
    remarks = {"_comment": "x", "_unmapped": {"old": 1}}
    write(tmp_path / "config.json", {**remarks, **setting(4)})
    assert concurrent(tmp_path) == 4


@pytest.mark.parametrize("values", [{"cache": {"_comment": "x"}}, {"comment": "x"}])
def test_only_the_outermost_remarks_are_ignored(tmp_path: Path, values: Any) -> None:
    write(tmp_path / "config.json", values)
    with pytest.raises(InvalidConfigError, match="comment"):
        load_config(environment={}, folder=tmp_path)


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match=r"missing\.json"):
        load_config(None, "missing.json", environment={}, folder=tmp_path)


def test_relative_paths_start_from_where_they_are_written(tmp_path: Path) -> None:
    write(tmp_path / "a/config/config.json", {"logging": {"file": "x.log"}})
    loaded = load_config(
        {"registry": {"path": "r.db"}}, "a/config/config.json", environment={}, folder=tmp_path
    )
    assert loaded.config.logging.file == str(tmp_path / "a/x.log")
    assert loaded.config.registry.path == str(tmp_path / "r.db")
    assert loaded.folder == tmp_path / "a"


def test_folders_of_models_start_from_the_file(tmp_path: Path) -> None:
    write(tmp_path / "config.json", {"models": {"cacheDir": "x", "ollamaDir": "/y"}})
    models = load_config(environment={}, folder=tmp_path).config.models
    assert models.cache_dir == str(tmp_path / "x")
    assert models.ollama_dir == "/y"
