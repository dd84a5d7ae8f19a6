"""One server and one service for all tests of this folder, and a router in this process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from integration.background import in_background
from integration.langchain.routers import KEY, registered, service
from integration.upstreams.agent_server import AgentServer
from llm_runner_router.compat.langchain import RouterThread


@pytest.fixture(scope="session")
def server() -> Iterator[AgentServer]:
    with in_background(lambda: AgentServer().running()) as server:
        yield server


@pytest.fixture(scope="session")
def target(server: AgentServer) -> Iterator[str]:
    """The address of a service that knows the server's models, and a key by its usual variable."""
    with (
        in_background(lambda: service(OPENAI_API_KEY=KEY)) as address,
        registered(RouterThread(target=address), server),
    ):
        yield address


@pytest.fixture(scope="session")
def remote(target: str) -> Iterator[RouterThread]:
    with RouterThread(target=target) as router:
        yield router


@pytest.fixture(scope="module")  # an open router sets the level of the log
def local(server: AgentServer) -> Iterator[RouterThread]:
    with registered(RouterThread(), server) as router:
        yield router


@pytest.fixture(params=["local", "remote"])
def router(request: pytest.FixtureRequest) -> RouterThread:
    """Each of both."""
    found: RouterThread = request.getfixturevalue(request.param)
    return found
