from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_runner_router.compat.router_thread import RouterThread
from unit.compat.echo_router import echo_router


@pytest.fixture(scope="module")
def echoes() -> Iterator[RouterThread]:
    with echo_router() as router:
        yield router
