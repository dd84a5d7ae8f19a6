"""Under CI a skipped test fails unless ``tests/allowed_skips.txt`` names it with a reason.

A line of the list is ``<node id>  # <reason>``; the node id may stop at any of its parts, so
``tests/golden`` or ``tests/golden/test_gpu.py`` allow everything below them. A line that matches
nothing that was collected ends the run, so that the list cannot outlive its tests.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

ALLOWED_SKIPS = Path("tests", "allowed_skips.txt")


@dataclass(frozen=True)
class AllowedSkip:
    """A node id, or the beginning of some, that may be skipped for ``reason``."""

    node_id: str
    reason: str

    def matches(self, node_id: str) -> bool:
        """Whether ``node_id`` is this one or lies below it."""
        rest = node_id.removeprefix(self.node_id)
        return node_id.startswith(self.node_id) and (not rest or rest[0] in "/:[")

    @property
    def file(self) -> str:
        """The path part of the node id."""
        return self.node_id.partition("::")[0]


def read_allowed_skips(path: Path) -> tuple[AllowedSkip, ...]:
    """The entries of the list, none where there is no list; a line without a reason is an error."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    entries = []
    for number, line in enumerate(lines, start=1):
        node_id, _, reason = (part.strip() for part in line.partition(" #"))
        if not line.strip() or line.startswith("#"):
            continue
        if not reason:
            message = (
                f"{path.name}:{number}: {line!r} gives no reason; allowed: <node id>  # <reason>"
            )
            raise pytest.UsageError(message)
        entries.append(AllowedSkip(node_id, reason))
    return tuple(entries)


class SkipRule:
    """The rule for one run. Sees every test before ``-k`` and its like choose among them."""

    def __init__(self, config: pytest.Config, allowed: Sequence[AllowedSkip]) -> None:
        self._config = config
        self._allowed = allowed
        self._collected: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self,
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A module that skips itself."""
        report = yield
        self._collected.add(report.nodeid)
        return self._judge(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """A test that is skipped; an expected failure is reported as skipped too, but is none."""
        report = yield
        return report if hasattr(report, "wasxfail") else self._judge(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Entries that match nothing end the run."""
        self._collected.update(item.nodeid for item in items)
        stale = [entry.node_id for entry in self._allowed if self._is_stale(entry)]
        if stale:
            raise pytest.UsageError(
                f"{ALLOWED_SKIPS} names tests that do not exist: {', '.join(stale)}"
            )

    def _judge(self, report: Report) -> Report:
        allowed = any(entry.matches(report.nodeid) for entry in self._allowed)
        if report.skipped and not allowed:
            report.outcome = "failed"
            report.longrepr = f"skipped, and {ALLOWED_SKIPS} does not allow it: {report.longrepr}"
        return report

    def _is_stale(self, entry: AllowedSkip) -> bool:
        matched = any(entry.matches(node_id) for node_id in self._collected)
        return not matched and any(self._covers(argument, entry) for argument in self._config.args)

    def _covers(self, argument: str, entry: AllowedSkip) -> bool:
        """Whether the run was asked to collect the whole file that the entry lies in."""
        asked = (self._config.invocation_params.dir / argument).resolve()
        return "::" not in argument and (self._config.rootpath / entry.file).is_relative_to(asked)


def pytest_configure(config: pytest.Config) -> None:
    """The rule holds under CI only: elsewhere a missing device may skip a test."""
    if os.environ.get("LLMR_CI") == "1" or os.environ.get("CI") == "true":
        allowed = read_allowed_skips(config.rootpath / ALLOWED_SKIPS)
        config.pluginmanager.register(SkipRule(config, allowed), "llmr-skip-rule")
