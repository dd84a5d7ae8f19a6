"""Ten models of which three fit, under random traffic: who waits is served, and nothing is lost."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random

import pytest

from llm_runner_router.registry.memory.room import PATIENCE
from unit.registry.memory.sized_models import CLOSE_SECONDS, LOAD_SECONDS, Machine
from unit.virtual_time import in_virtual_time, now

MODELS = [f"m{number}" for number in range(10)]
LIMIT = 100
REQUESTS = 400
LONGEST_REQUEST = 2.0
LONGEST_SWAP = PATIENCE + LONGEST_REQUEST + CLOSE_SECONDS + LOAD_SECONDS
"""Until another model is in the place of one, whoever uses it."""

LONGEST_WAIT = LONGEST_REQUEST + CLOSE_SECONDS + len(MODELS) * LONGEST_SWAP
"""Until a model has left that was just asked to, and then all in line have come in."""


class Traffic:
    """Requests of random callers; some have deadlines, some are cancelled, some are patient."""

    def __init__(self, machine: Machine, random: Random) -> None:
        self.machine = machine
        self.random = random
        self.outcomes: Counter[str] = Counter()
        self.longest_wait = 0.0

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(REQUESTS):
                await asyncio.sleep(self.random.expovariate(20.0))
                group.create_task(self._caller(self._model()))
                if self.random.random() < 0.02:
                    group.create_task(self.machine.residency.unload(self._model()))
        self.outcomes["all"] = self.outcomes.total()

    def _model(self) -> str:
        """Some models are wanted more than others."""
        return MODELS[int(len(MODELS) * self.random.random() ** 2)]

    async def _caller(self, model: str) -> None:
        kind = self.random.choice(["patient", "patient", "deadline", "cancelled"])
        lasts = self.random.uniform(0.0, LONGEST_REQUEST)
        left = None if kind == "patient" else self.random.uniform(0.0, 10.0)
        request = asyncio.ensure_future(self._request(model, lasts))
        loop = asyncio.get_running_loop()
        timer = loop.call_later(left or 0.0, request.cancel) if kind == "cancelled" else None
        try:
            async with asyncio.timeout(left if kind == "deadline" else None):
                await request
            self.outcomes["served"] += 1
        except TimeoutError:
            self.outcomes["deadline"] += 1
        except asyncio.CancelledError:
            assert kind == "cancelled"
            self.outcomes["cancelled"] += 1
        finally:
            if timer is not None:
                timer.cancel()

    async def _request(self, model: str, lasts: float) -> None:
        arrival = now()
        async with self.machine.residency.lease(model) as provider:
            if self.machine.find(model).limits.concurrent_requests is None:
                self.longest_wait = max(self.longest_wait, now() - arrival)
            assert self.machine.residency.memory().used <= LIMIT
            await asyncio.sleep(lasts)
            assert provider.usable  # nobody has closed it meanwhile


@pytest.mark.parametrize("seed", range(8))
@in_virtual_time
async def test_ten_models_of_which_three_fit(seed: int) -> None:
    random = Random(seed)
    smallest = 30 if seed % 2 else 5
    machine = Machine(LIMIT, **{model: random.randint(smallest, 33) for model in MODELS})
    for model in MODELS[1::4]:
        machine.limit_requests(model, 4)
    traffic = Traffic(machine, random)
    await traffic.run()
    assert traffic.outcomes["all"] == REQUESTS
    assert traffic.outcomes["served"] > REQUESTS / 2
    assert machine.loader.most <= LIMIT
    assert len(machine.loader.loads) > 2 * len(MODELS)
    assert 2 * PATIENCE < traffic.longest_wait < LONGEST_WAIT
    await machine.close()
