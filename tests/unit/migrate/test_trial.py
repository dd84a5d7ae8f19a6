"""The trial, with a real router on a staged tree."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from llm_runner_router import LLMRouter
from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate.plan import Plan
from llm_runner_router.migrate.staging import begin, stage
from llm_runner_router.migrate.step import unobserved
from llm_runner_router.migrate.trial import check_models, try_router
from llm_runner_router.migrate.work import work_of
from unit.migrate.folders import NEW_CONFIG, NEW_REGISTRY, json_bytes, old_folder, plan_of, snapshot


def tried(folder: Path, plan: Plan) -> Path:
    """The tree of a plan that was tried."""
    begin(folder, unobserved)
    tree = stage(work_of(plan), unobserved)
    before = {path: it for path, it in snapshot(folder).items() if not path.startswith(".llm-r")}
    try:
        try_router(tree, plan)
    finally:
        after = {path: it for path, it in snapshot(folder).items() if not path.startswith(".llm-r")}
        assert after == before
    return tree


def with_content(plan: Plan, content: Mapping[str, bytes]) -> Plan:
    """The plan with other files."""
    changes = [
        replace(change, after=content.get(str(change.path), change.after))
        if str(change.path) in content
        else change
        for change in plan.changes
    ]
    return replace(plan, changes=changes)


def with_config(plan: Plan, values: Mapping[str, Any]) -> Plan:
    return with_content(plan, {"config/config.json": json_bytes({**NEW_CONFIG, **values})})


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return plan_of(old_folder(tmp_path))


def ids_in(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("SELECT id FROM models")]


def test_the_database_is_made_of_the_registry_file(plan: Plan) -> None:
    tree = tried(plan.folder, plan)
    assert ids_in(tree / "models/registry.sqlite") == ["chat"]
    assert not (tree / "models/registry.sqlite-wal").exists()


def test_a_registry_that_is_there_already_is_left_alone(plan: Plan) -> None:
    present = plan.folder / "models/registry.sqlite"
    present.write_bytes(b"no database, and nobody looks")
    tree = tried(plan.folder, replace(plan, database=None))
    assert (tree / "models/registry.sqlite").is_symlink()


def test_nothing_is_written_beside_the_tree_and_nobody_is_asked(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the network was used")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    values = {
        "logging": {"file": "./logs/router.log"},
        "cache": {"url": "redis://localhost:1/0"},
        "models": {"autoDownload": True, "kvSnapshotBytes": 1000},
        "registry": {"url": "postgresql://localhost:1/x"},
    }
    tree = tried(plan.folder, replace(with_config(plan, values), database=None))
    assert not (tree / "logs").exists()


def test_a_plan_without_configuration_and_registry(plan: Plan) -> None:
    bare = replace(plan, changes=plan.changes[-1:], config=None, registry=None, database=None)
    tried(plan.folder, bare)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"config/config.json": json_bytes({"cache": {"ttl": -1}})}, r"cache\.ttl"),
        ({"config/config.json": b"{"}, "config file"),
        ({"models/registry.json": json_bytes({"version": "1.0"})}, "version"),
        (
            {
                "models/registry.json": json_bytes(
                    {**NEW_REGISTRY, "models": NEW_REGISTRY["models"] * 2}
                )
            },
            "each id once",
        ),
        ({"config/config.json": json_bytes({})}, r'no registry at "models/registry\.sqlite"'),
    ],
)
def test_a_result_that_does_not_run_is_refused(
    plan: Plan, content: Mapping[str, bytes], message: str
) -> None:
    with pytest.raises(MigrationError, match=message) as caught:
        tried(plan.folder, with_content(plan, content))
    assert caught.value.message.startswith("the result was tried and refused: ")


def test_a_database_elsewhere_is_refused(
    plan: Plan, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "r.sqlite"
    wrong = replace(
        with_config(plan, {"registry": {"path": str(elsewhere)}}),
        database=PurePosixPath("models/registry.sqlite"),
    )
    with pytest.raises(MigrationError, match="it made no registry"):
        tried(plan.folder, wrong)


@pytest.mark.parametrize(
    ("listed", "message"), [([], "without ['chat']"), (["chat", "b"], "with ['b'] beside them")]
)
def test_models_that_are_missing_or_too_many(listed: list[str], message: str) -> None:
    with pytest.raises(MigrationError) as caught:
        check_models(listed, json_bytes(NEW_REGISTRY))
    assert message in caught.value.message
    check_models(["chat"], json_bytes(NEW_REGISTRY))
    check_models([], None)


def test_a_router_that_does_not_list_the_models_is_refused(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(router: LLMRouter) -> list[object]:
        del router
        return []

    monkeypatch.setattr(LLMRouter, "list_models", nothing)
    with pytest.raises(MigrationError, match="it lists the models of the registry without"):
        tried(plan.folder, plan)
