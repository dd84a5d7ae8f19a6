from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.migrate.ollama import stores
from llm_runner_router.migrate.ollama.stores import default_store, same_store, service_store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(stores, "OF_THE_SYSTEM", str(tmp_path / "system"))
    return tmp_path


def test_the_variable_names_the_store(home: Path) -> None:
    (home / "system").mkdir()
    assert default_store({"OLLAMA_MODELS": "/x"}) == Path("/x")
    assert default_store({"OLLAMA_MODELS": ""}) == home / "system"
    assert service_store({"OLLAMA_MODELS": "~/x"}) == home / "home/x"


def test_the_users_own_comes_before_the_systems(home: Path) -> None:
    own = home / "home/.ollama/models"
    assert default_store({}) == own == service_store({})
    (home / "system").mkdir()
    assert default_store({}) == home / "system"
    own.mkdir(parents=True)
    assert default_store({}) == own


def test_links_do_not_make_another_store(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert same_store(tmp_path / "a", tmp_path / "b")
    assert not same_store(tmp_path / "a", tmp_path)
