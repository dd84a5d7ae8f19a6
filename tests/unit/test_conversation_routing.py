from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from llm_runner_router.conversation_messages import Append, SessionMessage, Start
from llm_runner_router.types import Complete, Message, Request, Role
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
