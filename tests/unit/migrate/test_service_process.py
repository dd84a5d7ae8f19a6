from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_runner_router.errors import MigrationError
from llm_runner_router.migrate import service_process
from llm_runner_router.migrate.service_process import (
    check_stopped,
    running,
    stop_services,
    supervisors,
)

PYTHON = Path(__file__).parents[3] / "python"
SCRIPT = """
import signal, sys
from pathlib import Path
from llm_runner_router.server.pid_file import PidFile
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
else:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
file = PidFile.create(Path(sys.argv[1]), "127.0.0.1:1", float(sys.argv[3]))
print("ready", flush=True)
signal.pause()
"""


@contextmanager
def service(
    folder: Path, kind: str = "obedient", drain: float = 5.0
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that serves a folder, as far as its pid file goes."""
    command = [sys.executable, "-c", SCRIPT, str(folder), kind, str(drain)]
    environment = {**os.environ, "PYTHONPATH": str(PYTHON)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield process
        finally:
            process.kill()


def test_it_is_asked_to_end_and_waited_for(tmp_path: Path) -> None:
    with service(tmp_path) as process:
        assert [it.pid for it in running(tmp_path)] == [process.pid]
        stop_services(tmp_path)
        assert process.wait(10) == 5
    assert running(tmp_path) == []
    stop_services(tmp_path)


def test_one_that_does_not_end_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_process, "PATIENCE_SECONDS", 0.1)
    with service(tmp_path, "stubborn", 0.1) as process:
        with pytest.raises(MigrationError, match=f"process id {process.pid} does not end"):
            stop_services(tmp_path)
        assert process.poll() is None
        with pytest.raises(
            MigrationError, match=f"started again, with the process id {process.pid}"
        ):
            check_stopped(tmp_path)


def test_one_that_was_killed_is_no_service(tmp_path: Path) -> None:
    with service(tmp_path) as process:
        process.kill()
        process.wait(10)
        assert list((tmp_path / ".llm-router").iterdir())
        check_stopped(tmp_path)


@dataclass
class Signals:
    """What would have been sent."""

    sent: list[tuple[int, int]]

    def __call__(self, pid: int, number: int) -> None:
        self.sent.append((pid, number))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc here")
def test_a_process_that_does_not_hold_the_file_is_never_signalled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the service runs in a container, and its process id is another's here."""
    monkeypatch.setattr(service_process, "PATIENCE_SECONDS", 0.1)
    signals = Signals([])
    with service(tmp_path, drain=0.1) as process, subprocess.Popen(["sleep", "60"]) as other:
        file = tmp_path / ".llm-router" / f"{process.pid}.pid"
        told = file.read_text().replace(f'"pid": {process.pid}', f'"pid": {other.pid}')
        with file.open("r+") as same:
            same.write(told)
            same.truncate()
        file.rename(file.with_name(f"{other.pid}.pid"))
        message = f"{other.pid}, but that process is another"
        try:
            with monkeypatch.context() as patched:
                patched.setattr(os, "kill", signals)
                with pytest.raises(MigrationError, match=message):
                    stop_services(tmp_path)
        finally:
            other.kill()
    assert signals.sent == []


def test_another_users_service_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(pid: int, number: int) -> None:
        assert number == signal.SIGTERM
        raise PermissionError(pid)

    with service(tmp_path), monkeypatch.context() as patch:
        patch.setattr(os, "kill", refuse)
        with pytest.raises(MigrationError, match="another user's"):
            stop_services(tmp_path)


def test_supervisors_are_told_of(tmp_path: Path) -> None:
    assert supervisors(tmp_path) == []
    (tmp_path / "ecosystem.config.js").touch()
    (tmp_path / "llm-router.service").touch()
    pm2, systemd = supervisors(tmp_path)
    assert "ecosystem.config.js" in pm2
    assert "pm2 stop" in pm2
    assert "llm-router.service" in systemd
    assert "systemctl stop" in systemd
