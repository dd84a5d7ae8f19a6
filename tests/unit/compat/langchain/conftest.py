from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_runner_router.compat.langchain import RouterThread
from unit.compat.langchain.echo_router import echo_router


@pytest.fixture(scope="session")
def echoes() -> Iterator[RouterThread]:
    with echo_router() as router:
        yield router
