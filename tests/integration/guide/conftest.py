"""What the sections of the guide share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from integration.guide.command_line import done
from integration.guide.projects import Migrated, project_of_v1_0, state
from llm_runner_router import LLMRouter
from unit import tiny_model

SETTINGS = {"engine": {"threads": 1, "kvType": "f32"}, "cache": {"enabled": False}}


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model so sure of its words that it says the same at any temperature."""
    return tiny_model.write(tmp_path_factory.mktemp("guide") / "model.gguf", scale=1000.0)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """Shared by all: whoever changes the folder changes a copy."""
    folder = project_of_v1_0(tmp_path_factory.mktemp("v1_0") / "desk")
    before = state(folder)
    report = done("migrate", folder, "--yes", "--json").json
    return Migrated(folder, before, state(folder), report)


@pytest_asyncio.fixture
async def router(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LLMRouter]:
    """A router of this process without any model, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    async with LLMRouter(SETTINGS) as router:
        yield router


@pytest_asyncio.fixture
async def my_router(router: LLMRouter, model_file: Path) -> LLMRouter:
    """The same with the guide's model."""
    await router.register_model("my-model", model_file, config={"contextLength": 128})
    return router
