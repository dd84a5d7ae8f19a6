"""Migrates folders, or takes them back, each in a process of its own that kills itself.

Standard input is a JSON list of jobs: what to do, in which folder, and at which of its steps the
process ends by SIGKILL. Says in JSON how each ended. The processes are forked, so that what takes
long, to import everything, is done once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_runner_router.migrate.recovery import recover
from llm_runner_router.migrate.rollback import rollback
from llm_runner_router.migrate.step import Observe, Step
from llm_runner_router.migrate.transaction import migrate
from llm_runner_router.router import LLMRouter
from unit.migrate.folders import plan_of

assert LLMRouter  # loaded before the first fork

AT_ONCE = 8
UMASK = 0o077

WORK: dict[str, Callable[[Path, Observe], Any]] = {
    "migrate": lambda folder, observe: migrate(plan_of(folder), observe),
    "rollback": lambda folder, observe: rollback(folder, observe=observe),
    "recover": recover,
}


class Killer:
    """Ends the process at the step of a number, from 0."""

    def __init__(self, at: int) -> None:
        self._left = at

    def __call__(self, step: Step) -> None:
        del step
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def started(job: dict[str, Any]) -> int:
    """The process of a job."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            WORK[job["what"]](Path(job["folder"]), Killer(job["at"]))
            code = 0
        finally:
            os._exit(code)
    return child


def main() -> None:
    os.umask(UMASK)
    jobs = json.load(sys.stdin)
    codes: dict[int, int] = {}
    running: dict[int, int] = {}
    for number, job in enumerate(jobs):
        if len(running) == AT_ONCE:
            child, status = os.wait()
            codes[running.pop(child)] = os.waitstatus_to_exitcode(status)
        running[started(job)] = number
    for child, number in running.items():
        codes[number] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(json.dumps([codes[number] for number in range(len(jobs))]))


if __name__ == "__main__":
    main()
