"""Snapshots of plain columns, for tests of what is computed over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llm_runner_router.registry.records import Pricing
from llm_runner_router.routing.measured import Measured
from llm_runner_router.routing.measurements import Expected
from llm_runner_router.routing.roster import Roster
from llm_runner_router.routing.snapshot import Snapshot
from unit.routing.market import Surroundings, remote


def columns(size: int, **given: Sequence[Any]) -> Snapshot:
    """One prompt token and one of answer; the columns that are not ``given`` are unknown or 0.

    Given may be: quality, cost (US dollars of this request), first_token_ms, error_rate, samples,
    outstanding, reward, rewards, share (of the prompt), weights and capabilities.
    """
    rows: list[Mapping[str, Any]] = [
        {name: values[row] for name, values in given.items()} for row in range(size)
    ]
    names = [f"m{row:04}" for row in range(size)]
    records = [
        remote(
            name,
            quality=row.get("quality"),
            pricing=priced(row.get("cost")),
            capabilities=row.get("capabilities", ()),
        )
        for name, row in zip(names, rows, strict=True)
    ]
    weights = {name: row.get("weights", 1.0) for name, row in zip(names, rows, strict=True)}
    measured = Measured(size)
    for number, row in enumerate(rows):
        measured.note(number, expected(row))
    load = np.array([row.get("outstanding", 0.0) for row in rows], np.float64)
    shares = {name: row.get("share", 0.0) for name, row in zip(names, rows, strict=True)}
    roster = Roster.of(records, Surroundings(), weights)
    return Snapshot(roster, measured, load, 1, 1, shares)


def priced(cost: float | None) -> Pricing | None:
    return None if cost is None else Pricing(cost * 5e5, cost * 5e5)


def expected(row: Mapping[str, Any]) -> Expected:
    return Expected(
        first_token_ms=row.get("first_token_ms"),
        error_rate=row.get("error_rate", 0.0),
        samples=row.get("samples", 0),
        reward=row.get("reward", 0.0),
        rewards=row.get("rewards", 0.0),
    )
