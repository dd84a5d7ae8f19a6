"""The command around the migration: what it asks, prints, and ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.cli import app, migrate_ollama
from llm_runner_router.registry.records import Alias, ModelRecord
from unit import tiny_model
from unit.cli.services import FakeService, run


@pytest.fixture
def store(tmp_path: Path) -> OllamaFolder:
    store = OllamaFolder(tmp_path / "theirs")
    store.put(OllamaFiles(tiny_model.write(tmp_path / "tiny.gguf").read_bytes()), "tiny")
    return store


def changes(service: FakeService) -> list[object]:
    return [one for one in service.asked if isinstance(one, ModelRecord | Alias)]


def test_all_go_in(service: FakeService, store: OllamaFolder) -> None:
    result = run("migrate", "ollama", "--store", str(store.folder), "--yes")
    assert result.exit_code == 0, result.output
    record, alias = changes(service)
    assert isinstance(record, ModelRecord)
    assert isinstance(alias, Alias)
    assert (record.id, alias.id) == ("tiny:latest", "tiny")
    assert "in place" in result.output
    assert service.open == 0


def test_a_dry_run_changes_nothing(service: FakeService, store: OllamaFolder) -> None:
    result = run("migrate", "ollama", "--store", str(store.folder), "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    assert changes(service) == []
    told = json.loads(result.stdout)
    assert (told["dryRun"], told["changed"], told["failed"]) == (True, True, 0)


@pytest.mark.parametrize(("answer", "ends"), [("y\n", (0, 2)), ("n\n", (1, 0))])
def test_who_can_be_asked_is_asked(
    service: FakeService,
    store: OllamaFolder,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    ends: tuple[int, int],
) -> None:
    code, count = ends
    monkeypatch.setattr(migrate_ollama, "attended", lambda: True)
    command = ["migrate", "ollama", "--store", str(store.folder)]
    result = CliRunner().invoke(app, command, input=answer)
    assert result.exit_code == code, result.output
    assert len(changes(service)) == count
    assert CliRunner().invoke(app, [*command, "--json"]).exit_code == 2


def test_who_cannot_be_asked_must_say_so(service: FakeService) -> None:
    result = run("migrate", "ollama")
    assert result.exit_code == 2
    assert service.asked == []


def test_a_model_that_fails_ends_in_1(service: FakeService, store: OllamaFolder) -> None:
    store.put_manifest(b"no \x1b[31m json", "garbage")
    result = run("migrate", "ollama", "--store", str(store.folder), "--yes")
    assert result.exit_code == 1
    assert len(changes(service)) == 2
    assert "failed" in result.output
    assert "\x1b[31m" not in result.output


def test_what_is_no_store_and_what_does_not_answer(service: FakeService, tmp_path: Path) -> None:
    absent = run("migrate", "ollama", "--store", str(tmp_path / "no"), "--yes")
    assert absent.exit_code == 1
    assert "no store of Ollama" in absent.output
    silent = run("migrate", "ollama", "--host", "http://127.0.0.1:1", "--yes")
    assert silent.exit_code == 3
    assert "cannot be reached" in silent.output
    OllamaFolder(tmp_path / "empty")
    empty = run("migrate", "ollama", "--store", str(tmp_path / "empty"), "--yes")
    assert (empty.exit_code, empty.stdout) == (0, "nothing to do\n")
    assert changes(service) == []
