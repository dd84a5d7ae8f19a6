"""What the command line says, as a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from llm_runner_router.cli.serve import explicit_values, keep, parse_model, with_registry
from llm_runner_router.errors import InvalidConfigError
from unit.echoes import echo_runtime


def test_model_is_an_id_and_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a=b.gguf").touch()
    monkeypatch.chdir(tmp_path)
    assert parse_model("chat=a=b.gguf") == ("chat", tmp_path / "a=b.gguf")


@pytest.mark.parametrize("text", ["", "chat", "chat=", "=a.gguf", "chat=/no/such/file.gguf"])
def test_wrong_models_are_quoted(text: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        parse_model(text)
    assert repr(text) in str(caught.value)


def test_only_what_is_said_is_explicit() -> None:
    said = {"host": None, "port": 0, "drain_timeout": 0.0}
    assert explicit_values(said) == {"server": {"port": 0, "drain_timeout": 0.0}}


def test_data_folder_holds_the_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    loaded = with_registry({}, None, tmp_path / "data")
    assert loaded.config.registry.path == str(tmp_path / "data" / "registry.sqlite")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    loaded = with_registry({}, None, None)
    assert loaded.config.registry.path == str(tmp_path / "xdg/llm-runner-router/registry.sqlite")


def test_registry_of_the_configuration_comes_before_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.json").write_text('{"registry": {"path": "mine.sqlite"}}')
    assert with_registry({}, None, None).config.registry.path == str(tmp_path / "mine.sqlite")
    chosen = with_registry({}, None, tmp_path / "data").config.registry.path
    assert chosen == str(tmp_path / "data" / "registry.sqlite")


def test_wrong_port_is_named() -> None:
    with pytest.raises(InvalidConfigError, match=r"server\.port"):
        with_registry({"server": {"port": 70_000}}, None, None)


async def test_a_served_file_gets_its_very_id_whatever_versions_there_are() -> None:
    async with echo_runtime(models=("m@2",)) as runtime:
        await keep(runtime, "m", Path("/a.gguf"))
        assert (await runtime.get_model("m")).record.source == "/a.gguf"
        await keep(runtime, "m", Path("/b.gguf"))
        assert (await runtime.get_model("m")).record.source == "/b.gguf"
        assert (await runtime.get_model("m@2")).record.source == "/nowhere/m.gguf"
