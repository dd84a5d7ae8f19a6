"""A service on a socket of this machine, and what it may put there."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from integration.recording_backend import RecordingBackend
from llm_runner_router.backend import Backend
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.server.unix_socket import FREE_PATH


def server_at(path: str) -> Server:
    backend = cast("Backend", RecordingBackend({}))
    return Server(backend, ServerOptions(host=f"unix:{path}", drain_timeout=0))


async def refused(path: str) -> None:
    server = server_at(path)
    with pytest.raises(InvalidConfigError) as caught:
        await server.start()
    await server.stop()
    assert caught.value.field == "server.host"
    assert caught.value.value == f"unix:{path}"
    assert caught.value.allowed == FREE_PATH


async def test_the_socket_of_another_service_stays_its_own(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    first = server_at(path)
    await first.start()
    try:
        await refused(path)
        with closing(socket.socket(socket.AF_UNIX)) as client:
            client.connect(path)
    finally:
        await first.stop()


async def test_what_a_service_left_behind_is_taken_over(tmp_path: Path) -> None:
    path = str(tmp_path / "a.sock")
    with closing(socket.socket(socket.AF_UNIX)) as gone:
        gone.bind(path)
    server = server_at(path)
    await server.start()
    with closing(socket.socket(socket.AF_UNIX)) as client:
        client.connect(path)
    await server.stop()


async def test_a_path_that_cannot_be_a_socket_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (f"{tmp_path}/none/a.sock", f"{tmp_path}/file", f"{tmp_path}/{'a' * 200}", ""):
        await refused(path)
    assert (tmp_path / "file").read_text() == "x"
