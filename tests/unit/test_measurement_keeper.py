from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import UnavailableError
from llm_runner_router.measurement_keeper import MeasurementKeeper
from llm_runner_router.registry.records import MeasurementRow
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.routing.measurements import Measurements
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import Request
from unit.echoes import EchoLoader, model

NEVER = 1e6
"""Seconds after which nothing is saved within a test."""


def observe(measurements: Measurements) -> None:
    measurements.observe("m", 10, first_token_ms=5.0, token_ms=1.0, failed=False)


async def test_what_was_measured_is_restored() -> None:
    store = await RegistryStore.open(None)
    for turn in range(2):
        measurements = Measurements()
        keeper = MeasurementKeeper(measurements, store, NEVER)
        assert measurements.expected("m", 10).samples == turn
        observe(measurements)
        await keeper.close()
    assert [row.samples for row in store.measurements()] == [2]
    await store.close()


async def test_it_is_saved_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    store = await RegistryStore.open(None)
    saved = asyncio.Event()
    save = store.save_measurements

    async def noted(rows: Sequence[MeasurementRow]) -> None:
        await save(rows)
        saved.set()

    monkeypatch.setattr(store, "save_measurements", noted)
    measurements = Measurements()
    keeper = MeasurementKeeper(measurements, store, 0.0)
    observe(measurements)
    await saved.wait()
    assert [row.model for row in store.measurements()] == ["m"]
    await keeper.close()
    await store.close()


async def test_nothing_new_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    store = await RegistryStore.open(None)
    writes: list[int] = []
    save = store.save_measurements

    async def counted(rows: Sequence[MeasurementRow]) -> None:
        writes.append(len(rows))
        await save(rows)

    monkeypatch.setattr(store, "save_measurements", counted)
    measurements = Measurements()
    keeper = MeasurementKeeper(measurements, store, NEVER)
    await keeper.save()
    assert writes == []
    observe(measurements)
    await keeper.save()
    await keeper.close()
    assert writes == [1]
    await store.close()


async def test_what_cannot_be_saved_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = await RegistryStore.open(None)

    async def full(_: Sequence[MeasurementRow]) -> None:
        raise UnavailableError("the disk is full")

    measurements = Measurements()
    keeper = MeasurementKeeper(measurements, store, NEVER)
    observe(measurements)
    with monkeypatch.context() as patched, caplog.at_level(logging.WARNING):
        patched.setattr(store, "save_measurements", full)
        await keeper.save()
    assert "the disk is full" in caplog.text
    assert store.measurements() == ()
    await keeper.close()
    assert [row.model for row in store.measurements()] == ["m"]
    await store.close()


async def test_a_router_that_closes_keeps_what_it_has_measured(tmp_path: Path) -> None:
    loaded = load_config(
        {"registry": {"path": str(tmp_path / "r.db")}}, environment={}, folder=tmp_path
    )
    runtime = Runtime(loaded, EchoLoader())
    await runtime.initialize()
    await runtime.register_model(model())
    await runtime.process(Request(prompt="hello"))
    await runtime.close()
    store = await RegistryStore.open(tmp_path / "r.db")
    assert [(row.model, row.samples) for row in store.measurements()] == [("m", 1)]
    await store.close()
