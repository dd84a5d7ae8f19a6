"""Streams of v1.0: ``token`` and ``end`` in the place of ``chunk`` and ``complete``."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from llm_runner_router.compat.v1_0.answers import OldEvent, old_usage
from llm_runner_router.types import Chunk, Complete, Event


async def old_events(events: AsyncGenerator[Event, None]) -> AsyncGenerator[OldEvent, None]:
    """The events of ``process_stream`` in the old shape; errors are passed on.

    Closing it closes ``events``, which cancels the request. Chunks without text are left out.
    """
    text = ""
    async with aclosing(events):
        async for event in events:
            if isinstance(event, Chunk) and event.text:
                text += event.text
                yield {"event": "token", "token": event.text}
            elif isinstance(event, Complete):
                usage = old_usage(event.metrics)
                yield {"event": "end", "text": text, "model": event.model_used, "usage": usage}
