from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from llm_runner_router.conversation_messages import Append, SessionMessage, Start
from llm_runner_router.errors import ResourceNotFoundError
from llm_runner_router.types import Complete, Message, Request, Role, Started
from unit.echoes import echo_runtime


async def test_the_next_turn_goes_to_the_model_of_the_last() -> None:
    config = {"routing": {"strategy": "round-robin"}, "cache": {"enabled": False}}
    answered: list[str] = []

    async def messages() -> AsyncIterator[SessionMessage]:
        yield Start("c", Request(prompt="hello"))
        for turn in range(1, 3):
            while len(answered) < turn:
                await waiting.wait()
                waiting.clear()
            yield Append("c", [Message(Role.USER, "again")])

    async with echo_runtime(config, models=("a", "b", "c")) as runtime:
        waiting = asyncio.Event()
        async for event in runtime.converse(messages()):
            if isinstance(event.event, Complete):
                answered.append(event.event.model_used)
                waiting.set()
    assert len(answered) == 3
    assert len(set(answered)) == 1


async def test_each_turn_has_a_name_that_feedback_takes() -> None:
    more = asyncio.Event()

    async def messages() -> AsyncIterator[SessionMessage]:
        yield Start("c", Request(prompt="hello"))
        await more.wait()
        yield Append("c", [Message(Role.USER, "again")])

    started: list[Started] = []
    async with echo_runtime() as runtime:
        async for event in runtime.converse(messages()):
            match event.event:
                case Started():
                    started.append(event.event)
                case Complete():
                    more.set()
        assert [event.request_id for event in started] == ["c", "c"]
        assert len({event.answer_id for event in started}) == 2
        for event in started:
            await runtime.feedback(event.answer_id, 0.5)
        with pytest.raises(ResourceNotFoundError):
            await runtime.feedback("c", 0.5)
