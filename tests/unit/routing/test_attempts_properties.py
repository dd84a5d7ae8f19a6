"""Whatever providers do: within the budget, nothing twice, everything given back."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from llm_runner_router.errors import (
    EngineError,
    InvalidRequestError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.preferences import Routing
from llm_runner_router.providers.base import Accepted, Delta, Finished, Progress, ProviderEvent
from llm_runner_router.types import Request
from unit.routing.attempt_stage import ACCEPTED, FINISHED, Act, Stage
from unit.routing.virtual_time import now, virtual

ERRORS = st.sampled_from(
    [
        UnavailableError("down"),
        RateLimitError("later", retry_after=0.5),
        EngineError("broken"),
        ProviderRejectedError("key"),
        InvalidRequestError("top_k", 1, "none"),
        TimeLimitError("the peer's"),
    ]
)
PAUSES = st.sampled_from([0.0, 0.2, 1.5, 40.0])
STEPS = st.one_of(PAUSES, st.just(Delta("word", (1,))), st.just(Progress("hm")), ERRORS)
BEGUN = st.tuples(
    st.one_of(PAUSES, st.just(Progress("hm"))),
    st.just(ACCEPTED),
    STEPS,
    STEPS,
    st.sampled_from([FINISHED, 0.0]),
)
ACTS = st.one_of(BEGUN, st.tuples(PAUSES, ERRORS), st.just(()))
SCRIPTS = st.lists(st.lists(ACTS, min_size=1, max_size=3), min_size=1, max_size=4)


@given(
    script=SCRIPTS,
    budget=st.integers(1, 6),
    hedge=st.booleans(),
    deadline=st.sampled_from([None, 0.1, 3.0]),
    leave=st.tuples(st.sampled_from([None, 0.0, 0.3, 2.0]), st.integers(0, 4)),
)
def test_any_script(
    script: list[list[Act]],
    budget: int,
    hedge: bool,
    deadline: float | None,
    leave: tuple[float | None, int],
) -> None:
    check(script, Routing(max_attempts=budget, hedge=hedge), deadline, leave)


@virtual
async def check(
    script: list[list[Act]],
    routing: Routing,
    deadline: float | None,
    leave: tuple[float | None, int],
) -> None:
    until = None if deadline is None else now() + deadline
    acts = {f"m{index}": played for index, played in enumerate(script)}
    request = Request(prompt="x", routing=routing)
    stage = Stage(acts, {"routing": {"breaker_failures": 2}}, request, until, hold=True)
    for model in stage.players:
        stage.slow_to_begin(model, 0.1)
    seen: list[ProviderEvent] = []
    task = asyncio.ensure_future(consume(stage, seen, leave[1]))
    await asyncio.wait([task], timeout=leave[0])
    task.cancel()
    await asyncio.wait([task])
    assert sum(len(player.calls) for player in stage.players.values()) <= (
        routing.max_attempts or 0
    )
    assert not any(isinstance(event, Progress) for event in seen)
    assert all(isinstance(event, Accepted) == (at == 0) for at, event in enumerate(seen))
    assert not any(isinstance(event, Finished) for event in seen[:-1])
    assert [outcome for _, outcome in stage.trace()].count("OK") <= 1
    assert stage.tally.cost_usd == sum(each.cost_usd for each in stage.tally.attempts)
    stage.assert_all_released()
    for model, player in stage.players.items():
        finished = stage.trace().count((model, "OK"))
        assert len(player.released) == len(player.calls) - finished
    await asyncio.sleep(30.0)
    assert all(stage.breakers.allows(model) for model in stage.players)


async def consume(stage: Stage, seen: list[ProviderEvent], at_most: int) -> None:
    """Take some events, or all (0), and leave."""
    answer = stage.answer()
    try:
        async for event in answer:
            seen.append(event)
            if len(seen) == at_most:
                return
    except RouterError:
        return
    finally:
        await answer.aclose()
