"""Who leaves in the middle of an answer ends it, as far as the provider."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from integration.upstreams.agent_server import AgentServer
from integration.upstreams.faults import stall
from llm_runner_router.compat.langchain import ChatLLMRouter
from llm_runner_router.compat.router_thread import RouterThread


@dataclass(frozen=True)
class Answer:
    """What the provider sees of an answer that it never finishes."""

    begun: threading.Event = field(default_factory=threading.Event)
    left: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def answer(server: AgentServer, monkeypatch: pytest.MonkeyPatch) -> Answer:
    seen, change, before = Answer(), server._change, server.left

    def told(*, streaming: int) -> None:
        change(streaming=streaming)
        seen.begun.set()
        if server.left > before:
            seen.left.set()

    monkeypatch.setattr(server, "_change", told)
    server.inject(stall(after=1))
    return seen


@pytest.fixture
def chat(router: RouterThread) -> ChatLLMRouter:
    return ChatLLMRouter(router=router, model="agent", answer_cache="bypass", max_retries=0)


def test_a_stream_that_is_closed(chat: ChatLLMRouter, answer: Answer) -> None:
    pieces = chat.stream("one two three")
    assert any(piece.text for piece in pieces)
    pieces.close()
    assert answer.left.wait(10)


@pytest.mark.parametrize("events", [False, True])
async def test_a_task_that_is_cancelled(chat: ChatLLMRouter, answer: Answer, events: bool) -> None:
    begun = asyncio.Event()

    async def take() -> None:
        pieces: Any = chat.astream_events("one", version="v2") if events else chat.astream("one")
        async for piece in pieces:
            heard = piece["data"]["chunk"] if events and "chunk" in piece["data"] else piece
            if getattr(heard, "text", ""):
                begun.set()

    task = asyncio.create_task(take())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(answer.left.wait, 10)


async def test_a_whole_answer(chat: ChatLLMRouter, answer: Answer) -> None:
    task = asyncio.create_task(chat.ainvoke("one"))
    assert await asyncio.to_thread(answer.begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(answer.left.wait, 10)
