from __future__ import annotations

import pytest

from llm_runner_router import remote
from unit.cli.services import FakeService


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> FakeService:
    fake = FakeService()
    monkeypatch.setattr(remote, "RemoteBackend", fake)
    return fake
