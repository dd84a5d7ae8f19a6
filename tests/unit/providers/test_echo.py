from __future__ import annotations

import pytest

from llm_runner_router.errors import (
    EngineError,
    InvalidRequestError,
    ProviderFailedError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished
from llm_runner_router.providers.echo import REMEMBERED, EchoBehaviour, EchoProvider
from llm_runner_router.providers.echo_behaviour import FAILURES
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import Endpoint
from llm_runner_router.types import FinishReason, Message, Request, Role
from unit.echoes import collect, model


def call(**values: object) -> Call:
    return Call("id", Request(**{"prompt": "a b c", **values}))  # type: ignore[arg-type]


async def test_it_says_the_prompt_back() -> None:
    events = await collect(EchoProvider().generate(call()))
    assert isinstance(events[0], Accepted)
    assert "".join(event.text for event in events if isinstance(event, Delta)) == "a b c"
    assert isinstance(events[-1], Finished)


async def test_chunks_limits_and_messages() -> None:
    provider = EchoProvider(EchoBehaviour(chunks=5))
    events = await collect(provider.generate(call()))
    assert sum(isinstance(event, Delta) for event in events) == 5
    events = await collect(EchoProvider().generate(call(max_tokens=1)))
    assert isinstance(events[-1], Finished)
    assert events[-1].finish_reason is FinishReason.LENGTH
    said = (Message(Role.USER, "x"), Message(Role.USER, "y"))
    events = await collect(EchoProvider().generate(call(prompt=None, messages=said)))
    assert isinstance(events[1], Delta)
    assert events[1].text == "y"


async def test_it_fails_where_it_is_told_to() -> None:
    provider = EchoProvider(EchoBehaviour(failure=EngineError("x"), fail_after=2))
    stream = provider.generate(call())
    for _ in range(3):
        await anext(stream)
    with pytest.raises(EngineError):
        await anext(stream)
    assert not provider.running
    assert not provider.cancelled


async def test_holding_and_closing() -> None:
    provider = EchoProvider()
    await collect(provider.generate(Call("id", Request(prompt="x"), hold=True)))
    assert provider.held == {"id"}
    provider.release("id")
    provider.release("id")
    assert not provider.held
    await provider.close()
    with pytest.raises(UnavailableError):
        await collect(provider.generate(call()))


async def test_a_failure_at_once_commits_nothing() -> None:
    provider = EchoProvider(EchoBehaviour(failure=EngineError("x")))
    with pytest.raises(EngineError):
        await anext(provider.generate(call()))
    assert provider.deltas == 0


def opened(**options: object) -> EchoProvider:
    return EchoProvider.open(model(endpoint=Endpoint(options=options)), HttpPool())


async def test_a_record_says_how_it_answers() -> None:
    assert opened().behaviour == EchoBehaviour()
    provider = opened(
        first_latency=0, chunk_latency=0.0, chunks=2, failure="PROVIDER_FAILED", fail_after=1
    )
    errors: list[RouterError] = []
    for _ in range(2):
        stream = provider.generate(call())
        assert [type(await anext(stream)) for _ in range(2)] == [Accepted, Delta]
        with pytest.raises(ProviderFailedError) as raised:
            await anext(stream)
        errors.append(raised.value)
    assert errors[0] is not errors[1]  # whoever handles one leaves no trace in the next


@pytest.mark.parametrize("reason", FAILURES)
async def test_every_failure_has_its_reason(reason: str) -> None:
    with pytest.raises(RouterError) as raised:
        await anext(opened(failure=reason).generate(call()))
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("first_latency", -1),
        ("chunk_latency", "1"),
        ("chunks", 1.5),
        ("fail_after", -1),
        ("failure", "SO_WHAT"),
    ],
)
def test_options_that_are_wrong(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        opened(**{name: value})
    assert raised.value.field == f"endpoint.options.{name}"
    with pytest.raises(InvalidRequestError, match="some of first_latency"):
        opened(latency=1)


async def test_it_remembers_the_last_calls_only() -> None:
    provider = EchoProvider()
    for number in range(REMEMBERED + 5):
        stream = provider.generate(Call(str(number), Request(prompt="x")))
        await anext(stream)
        await stream.aclose()
    assert len(provider.calls) == REMEMBERED
    assert provider.calls[-1].request_id == str(REMEMBERED + 4)
    assert len(provider.cancelled) == REMEMBERED
