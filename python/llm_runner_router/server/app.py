"""The server: a Backend behind a port, from its start to its orderly end."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from dataclasses import dataclass

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from llm_runner_router.backend import Backend
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.server.drain import Drain
from llm_runner_router.server.health import SERVICE_NAMES, HealthService
from llm_runner_router.server.interceptors import CallInterceptor
from llm_runner_router.server.registry_service import RegistryService
from llm_runner_router.server.router_service import RouterService
from llm_runner_router.server.unix_socket import FREE_PATH, UNIX, check_socket_path
from llm_runner_router.v1 import registry_pb2_grpc, router_pb2_grpc
from llm_runner_router.wire.channel import SERVER_OPTIONS

LAST_WORDS_SECONDS = 1.0
"""How long statuses that are already decided may take to reach their clients."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """Where to listen (port 0: a free one) and how long running requests may take to finish.

    A ``host`` such as ``unix:/run/router.sock`` is a socket of this machine and has no port.
    """

    host: str = "127.0.0.1"
    port: int = 50051
    drain_timeout: float = 30.0


class Server:
    """Puts a Backend on the wire. Belongs to one event loop.

    The backend is the caller's: initialized before ``start``, closed after ``stop``.
    """

    def __init__(self, backend: Backend, options: ServerOptions) -> None:
        self._backend = backend
        self._options = options
        self._drain = Drain()
        self._grpc = grpc.aio.server(
            interceptors=(CallInterceptor(self._drain),), options=SERVER_OPTIONS
        )
        self._port = 0

    @property
    def address(self) -> str:
        """``host:port`` or ``unix:/path`` as clients reach it, once started."""
        return join(self._options.host, self._port)

    async def start(self) -> None:
        """Bind and take requests. InvalidConfigError: the address is taken. Called once."""
        self._add_services()
        if self._options.host.startswith(UNIX):
            await check_socket_path(self._options.host.removeprefix(UNIX))
        self._port = self._bind()
        await self._grpc.start()

    def _bind(self) -> int:
        """The port that was bound."""
        wanted = join(self._options.host, self._options.port)
        try:
            port = self._grpc.add_insecure_port(wanted)
        except RuntimeError:
            port = 0
        if port == 0:
            if wanted.startswith(UNIX):
                raise InvalidConfigError("server.host", wanted, FREE_PATH)
            allowed = "an address of this machine whose port is free (0 takes any free port)"
            raise InvalidConfigError("server.host and server.port", wanted, allowed)
        return port

    def _add_services(self) -> None:
        """Both services, health and reflection."""
        router_pb2_grpc.add_RouterServicer_to_server(
            RouterService(self._backend, self._drain), self._grpc
        )
        registry_pb2_grpc.add_RegistryServicer_to_server(
            RegistryService(self._backend, self._drain), self._grpc
        )
        health_pb2_grpc.add_HealthServicer_to_server(
            HealthService(self._backend, self._drain), self._grpc
        )
        health = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
        names = (*sorted(SERVICE_NAMES - {""}), health, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, self._grpc)

    async def stop(self) -> None:
        """Take nothing new, let what runs finish within the drain timeout, and stop listening."""
        if not await self._drain.finish(self._options.drain_timeout):
            logger.warning("requests that did not finish in time were ended")
        await self._grpc.stop(LAST_WORDS_SECONDS)

    def stop_now(self) -> None:
        """Make a running ``stop`` wait no longer."""
        self._drain.expire()


def join(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address; a unix socket has no port."""
    if host.startswith(UNIX):
        return host
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


async def serve(backend: Backend, options: ServerOptions, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, then drain. A second signal ends what runs at once.

    ``announce`` is called with the address once requests are taken.
    """
    server = Server(backend, options)
    ending = asyncio.Event()

    def on_signal() -> None:
        if ending.is_set():
            server.stop_now()
        ending.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    await server.start()
    announce(server.address)
    await ending.wait()
    logger.info("stopping: running requests have %g s to finish", options.drain_timeout)
    await server.stop()
