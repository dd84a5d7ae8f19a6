# ruff: noqa: PLC0415 - only a migration that is carried out needs the router
"""A router on the result of a migration, before it becomes real."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llm_runner_router.errors import MigrationError, RouterError
from llm_runner_router.migrate.plan import Plan
from llm_runner_router.migrate.secret_shapes import without_secrets

if TYPE_CHECKING:
    from llm_runner_router.router import LLMRouter

Trial = Callable[[Path, Plan], None]
"""Tries the tree of a plan; MigrationError where the result is not to be used."""

QUIET = {
    "logging": {"file": None},
    "cache": {"url": None},
    "models": {"auto_download": False, "kv_snapshot_bytes": 0},
}
"""Nothing is written beside the tree, and nobody is asked."""

IN_MEMORY = {"registry": {"path": None, "url": None}}
"""Where there is a registry already, it is left alone."""

NO_CONFIG = ".llm-router-trial.json"


def try_router(tree: Path, plan: Plan) -> None:
    """Start one on ``tree`` and ask it for its health and its models.

    Where the plan has a database, it is there afterwards, with the models of the registry file in
    it. MigrationError says what is wrong. Blocks; not to be called where an event loop runs.
    """
    try:
        asyncio.run(ask_router(tree, plan))
    except MigrationError:
        raise
    except (RouterError, OSError) as error:
        raise failed(str(error)) from None


async def ask_router(tree: Path, plan: Plan) -> None:
    """As ``try_router``, for an event loop of its own."""
    from llm_runner_router.router import LLMRouter

    explicit = QUIET if plan.database is not None else {**QUIET, **IN_MEMORY}
    document = None if plan.registry is None else (tree / plan.registry).read_bytes()
    async with LLMRouter(explicit, config_file=config_file(tree, plan)) as router:
        if document is not None:
            await router.import_registry(document)
            await settle_sources(router, document, plan.folder.absolute())
        health = await router.check_health()
        listed = [view.record.id for view in await router.list_models()]
    if not health.ready:
        raise failed("it is not ready")
    check_models(listed, document)
    check_database(tree, plan)


async def settle_sources(router: LLMRouter, document: bytes, folder: Path) -> None:
    """Let the database say where files will be: its relative paths were taken from the tree."""
    from llm_runner_router.registry.registry_file import parsed
    from llm_runner_router.registry.sources.file import absolute_path

    said = {model.id: model.source for model in parsed(document).models}
    for view in await router.list_models():
        record, source = view.record, said[view.record.id]
        if record.source != source:
            final = replace(record, source=str(absolute_path(source, folder)))
            await router.update_model(final, ["source"])


def config_file(tree: Path, plan: Plan) -> Path:
    """The configuration as it will be. A plan without one gets the defaults."""
    if plan.config is not None:
        return tree / plan.config
    made = tree / NO_CONFIG
    made.write_text("{}", encoding="utf-8")
    return made


def check_models(listed: list[str], document: bytes | None) -> None:
    """The router knows the models of the registry file, and no others."""
    from llm_runner_router.registry.registry_file import parsed

    wanted = [] if document is None else [model.id for model in parsed(document).models]
    missing, more = set(wanted) - set(listed), set(listed) - set(wanted)
    if missing or more:
        found = f"without {sorted(missing)}" if missing else f"with {sorted(more)} beside them"
        raise failed(f"it lists the models of the registry {found}")


def check_database(tree: Path, plan: Plan) -> None:
    """The database was made where the plan says, and all of it is in one file."""
    if plan.database is None:
        return
    database = tree / plan.database
    if not database.is_file() or database.with_name(database.name + "-wal").exists():
        told = json.dumps(str(plan.database))
        raise failed(f"it made no registry at {told}: see registry.path of the configuration")


def failed(why: str) -> MigrationError:
    """The error of a result that is not to be used, without the secrets of its files."""
    shown = without_secrets(why)
    return MigrationError(f"the result was tried and refused: {shown}; the folder is as it was")
