"""Stopping the services that run on a folder, before it is brought back."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from llm_runner_router.errors import MigrationError
from llm_runner_router.server.pid_file import RunningService, look, running_services

PATIENCE_SECONDS = 10.0
"""What a service may take to end beyond the time that its requests have to finish."""

POLL_SECONDS = 0.05

SUPERVISED = {
    "ecosystem.config.*": "`pm2 stop` it there, it starts again what ends",
    "*.service": "`systemctl stop` the unit, systemd may start again what ends",
}


def stop_services(folder: Path) -> None:
    """SIGTERM to each, and wait until it has ended. MigrationError names one that does not."""
    services = running(folder)
    for service in services:
        check_holder(service)
    for service in services:
        with suppress(ProcessLookupError):
            send(service)
    for service in services:
        wait_for(service)


def running(folder: Path) -> Sequence[RunningService]:
    """The services that run on a folder; MigrationError where that cannot be told."""
    try:
        return running_services(folder)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}: nobody can tell which services run"
        raise MigrationError(message) from None


def send(service: RunningService) -> None:
    """Ask it to end."""
    try:
        os.kill(service.pid, signal.SIGTERM)
    except PermissionError:
        message = f"the service with the process id {service.pid} is another user's: stop it first"
        raise MigrationError(message) from None


def check_holder(service: RunningService) -> None:
    """MigrationError where the process of that id is another: that of another container, say.

    Told from what it has open, where the system shows that.
    """
    opened = Path("/proc", str(service.pid), "fd")
    try:
        wanted = service.path.stat()
        held = any(same_file(path, wanted) for path in opened.iterdir())
    except PermissionError:
        held = True  # another user's, who cannot be signalled either
    except OSError:
        held = not Path("/proc/self/fd").is_dir() or look(service.path) is None
    if not held:
        message = f"a service on this folder says that its process id is {service.pid}, but that"
        raise MigrationError(f"{message} process is another: stop the service by hand, then again")


def same_file(path: Path, wanted: os.stat_result) -> bool:
    """Whether an open file is the wanted one."""
    try:
        return os.path.samestat(path.stat(), wanted)
    except OSError:
        return False


def wait_for(service: RunningService) -> None:
    """Until its lock is free."""
    until = time.monotonic() + service.drain_timeout + PATIENCE_SECONDS
    while look(service.path) is not None:
        if time.monotonic() > until:
            message = f"the service with the process id {service.pid} does not end: stop it first"
            raise MigrationError(f"{message}; the folder is as it was")
        time.sleep(POLL_SECONDS)


def check_stopped(folder: Path) -> None:
    """MigrationError where a service runs, after all were stopped."""
    for service in running(folder):
        message = f"the service was started again, with the process id {service.pid}: stop what"
        raise MigrationError(f"{message} starts it first; the folder is as it was")


def supervisors(folder: Path) -> Sequence[str]:
    """What the user should know of whoever may start services again. They are not touched."""
    return [
        f"{path.name} is here: {what}"
        for pattern, what in SUPERVISED.items()
        for path in sorted(folder.glob(pattern))
    ]
