from __future__ import annotations

import pytest

from llm_runner_router.errors import EngineError, UnavailableError
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished
from llm_runner_router.providers.echo import EchoBehaviour, EchoProvider
from llm_runner_router.types import FinishReason, Message, Request, Role
from unit.echoes import collect


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
