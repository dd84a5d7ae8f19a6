"""Services on migrated folders: started on them, stopped by a rollback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from integration.processes import ServiceProcess, llm_router, service_process
from llm_runner_router.migrate.step import Step
from llm_runner_router.migrate.trial import try_router
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.server.pid_file import running_services
from unit.migrate.folders import DATABASE, old_folder, snapshot
from unit.migrate.test_recovery import interrupted


@asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[ServiceProcess]:
    arguments = ("-m", "llm_runner_router.cli", "serve", "--port", "0")
    async with service_process(*arguments, cwd=folder) as process:
        yield process


async def models_of(address: str) -> list[str]:
    backend = RemoteBackend(address)
    await backend.initialize()
    page = await backend.list_models()
    await backend.close()
    return [view.record.id for view in page.models]


async def test_from_an_interrupted_migration_to_a_rollback_under_a_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service finishes the migration before it reads anything, and is stopped again."""
    folder = old_folder(tmp_path)
    old = snapshot(folder)
    await asyncio.to_thread(interrupted, folder, Step.PLACE_FILE, monkeypatch, try_router)
    async with serving(folder) as service:
        assert await models_of(service.address) == ["chat"]
        (told,) = running_services(folder)
        assert (told.pid, told.address) == (service.process.pid, service.address)
        done = await llm_router("rollback", "--folder", str(folder), "--yes", "--json")
        assert done.code == 0, done.err
        assert f"stop the service at {service.address} (process {told.pid})" in done.err
        assert await service.exit_code() == 0
    assert snapshot(folder) == old
    replaced = folder / json.loads(done.out)["replaced"]
    assert (replaced / DATABASE).read_bytes().startswith(b"SQLite format 3\0")
