"""Answers by Anthropic's API, from a server that speaks it, and everything that can go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import anthropic
import pytest
import pytest_asyncio

from integration.upstreams import faults
from integration.upstreams.anthropic_server import (
    AnthropicServer,
    error_event,
    event,
    text_block,
    thinking_block,
    tool_block,
)
from llm_runner_router.errors import (
    ContextLengthError,
    InvalidRequestError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.providers.anthropic import AnthropicProvider
from llm_runner_router.providers.base import (
    Accepted,
    Call,
    Delta,
    Finished,
    Progress,
    ProviderEvent,
)
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.tools import ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, Request

KEY = "sk-ant-a-key-that-nobody-may-see"
HELLO = Call("1", Request(prompt="hello", max_tokens=50))
CONTENT = 2
"""Pieces before the first content."""


@pytest_asyncio.fixture
async def server() -> AsyncIterator[AnthropicServer]:
    async with AnthropicServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[HttpPool]:
    pool = HttpPool()
    yield pool
    await pool.close()


@pytest.fixture
def endpoint(server: AnthropicServer, tmp_path: Path) -> Endpoint:
    (tmp_path / "key").write_text(KEY)
    return Endpoint(server.address, f"file:{tmp_path}/key")


@pytest.fixture
def provider(endpoint: Endpoint, pool: HttpPool) -> AnthropicProvider:
    return AnthropicProvider.open(record_of(endpoint), pool)


def record_of(endpoint: Endpoint) -> ModelRecord:
    return ModelRecord("c", "c", ModelFormat.API, "claude", provider="anthropic", endpoint=endpoint)


async def told(provider: AnthropicProvider, call: Call = HELLO) -> list[ProviderEvent]:
    seen: list[ProviderEvent] = []
    await keep(provider.generate(call), seen)
    return seen


async def keep(events: AsyncIterator[ProviderEvent], seen: list[ProviderEvent]) -> None:
    """Also those before a failure."""
    async for found in events:
        seen.append(found)  # noqa: PERF401 - a comprehension would lose them


async def test_an_answer_with_its_usage(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    accepted, *deltas, finished = await told(provider)
    prompt = Metrics(prompt_tokens=10, cached_tokens=3, cache_write_tokens=2)
    assert accepted == Accepted(metrics=prompt)
    assert deltas == [Delta("one"), Delta(" two"), Delta(" three")]
    assert finished == Finished(FinishReason.STOP, replace(prompt, completion_tokens=3))
    (seen,) = server.seen
    assert seen.path == "/v1/messages"
    assert seen.headers["X-Api-Key"] == KEY
    assert seen.body == {
        "model": "claude",
        "max_tokens": 50,
        "stream": True,
        "messages": [{"role": "user", "content": "hello"}],
    }
    assert server.cost_usd == pytest.approx((10 * 1 + 3 * 2) / 1e6)


async def test_the_official_client_understands_the_server(server: AnthropicServer) -> None:
    server.blocks = [
        thinking_block("hm"),
        text_block(["a", "b"]),
        tool_block("1", "f", ['{"x":1}']),
    ]
    server.stop_reason = "tool_use"
    async with (
        anthropic.AsyncAnthropic(api_key="k", base_url=server.address, max_retries=0) as client,
        client.messages.stream(
            model="claude", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        ) as stream,
    ):
        message = await stream.get_final_message()
    thinking, text, tool = message.content
    assert isinstance(thinking, anthropic.types.ThinkingBlock)
    assert isinstance(text, anthropic.types.TextBlock)
    assert isinstance(tool, anthropic.types.ToolUseBlock)
    assert (thinking.thinking, text.text, tool.input) == ("hm", "ab", {"x": 1})
    assert message.usage.output_tokens == 5


async def test_connections_are_used_again(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    for _ in range(3):
        await told(provider)
    assert server.open_connections == 1
    assert server.served.completed == 3


async def test_thinking_is_no_text_but_is_counted(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.blocks = [thinking_block("hm"), text_block(["so"])]
    server.output_usage = {"output_tokens_details": {"thinking_tokens": 2}}
    thought, accepted, *deltas, finished = await told(provider)
    assert thought == Progress("hm")
    assert isinstance(accepted, Accepted)
    assert deltas == [Delta("so")]
    assert isinstance(finished, Finished)
    assert (finished.metrics.completion_tokens, finished.metrics.reasoning_tokens) == (3, 2)


async def test_pings_are_signs_of_life(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.pings = True
    ping, accepted, *deltas, finished = await told(provider)
    assert ping == Progress("")
    assert isinstance(accepted, Accepted)
    assert deltas == [Delta("one"), Delta(" two"), Delta(" three")]
    assert isinstance(finished, Finished)
    assert finished.metrics.prompt_tokens == 10


async def test_calls_of_tools(server: AnthropicServer, provider: AnthropicProvider) -> None:
    server.blocks = [
        text_block(["I look"]),
        tool_block("a", "weather", ["", '{"in":', ' "Rome"}']),
        tool_block("b", "now", []),
    ]
    server.stop_reason = "tool_use"
    _, first, *rest, finished = await told(provider)
    assert first == Delta("I look")
    assert [call for delta in rest if isinstance(delta, Delta) for call in delta.tool_calls] == [
        ToolCallDelta(0, "a", "weather"),
        ToolCallDelta(0, arguments='{"in":'),
        ToolCallDelta(0, arguments=' "Rome"}'),
        ToolCallDelta(1, "b", "now"),
        ToolCallDelta(1, arguments="{}"),
    ]
    assert isinstance(finished, Finished)
    assert finished.finish_reason is FinishReason.TOOL_CALLS


REASONS = {
    "end_turn": FinishReason.STOP,
    "stop_sequence": FinishReason.STOP,
    "max_tokens": FinishReason.LENGTH,
    "model_context_window_exceeded": FinishReason.LENGTH,
    "tool_use": FinishReason.TOOL_CALLS,
    "refusal": FinishReason.CONTENT_FILTER,
}


@pytest.mark.parametrize("reason", REASONS)
async def test_why_an_answer_ends(
    server: AnthropicServer, provider: AnthropicProvider, reason: str
) -> None:
    server.stop_reason = reason
    finished = (await told(provider))[-1]
    assert isinstance(finished, Finished)
    assert finished.finish_reason is REASONS[reason]


async def test_an_empty_answer_is_an_answer(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.blocks = []
    accepted, finished = await told(provider)
    assert isinstance(accepted, Accepted)
    assert isinstance(finished, Finished)
    assert finished.metrics.prompt_tokens == 10


STATUSES: dict[int, type[RouterError]] = {
    302: ProviderFailedError,
    400: InvalidRequestError,
    401: ProviderRejectedError,
    402: ProviderRejectedError,
    403: ProviderRejectedError,
    404: ProviderRejectedError,
    413: InvalidRequestError,
    429: RateLimitError,
    500: ProviderFailedError,
    504: ProviderFailedError,
    529: ProviderFailedError,
}


@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_status_means(
    server: AnthropicServer, provider: AnthropicProvider, status: int
) -> None:
    server.inject(faults.status(status, body=f"no, {KEY}"))
    with pytest.raises(RouterError) as caught:
        await told(provider)
    assert type(caught.value) is STATUSES[status]
    assert "no, …" in caught.value.message
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.served.requests == 1


async def test_a_rate_limit_says_when_to_come_back(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.inject(faults.status(429, "17"))
    with pytest.raises(RateLimitError) as caught:
        await told(provider)
    assert caught.value.retry_after == 17.0


async def test_a_prompt_that_is_too_long(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.inject(faults.status(400, body="prompt is too long: 210000 tokens > 200000 maximum"))
    with pytest.raises(ContextLengthError) as caught:
        await told(provider)
    assert (caught.value.prompt_tokens, caught.value.context_length) == (210_000, 200_000)


BREAKS = {
    "reset": faults.reset(),
    "cut": faults.cut(0),
    "cut before content": faults.cut(CONTENT),
    "malformed": faults.malformed(0),
    "malformed before content": faults.malformed(CONTENT),
    "ended": faults.ended(0),
    "ended before content": faults.ended(CONTENT),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_a_failure_before_the_first_content_commits_to_nothing(
    server: AnthropicServer, provider: AnthropicProvider, name: str
) -> None:
    server.inject(BREAKS[name])
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert seen == []


LATE_BREAKS = {
    "cut": faults.cut(CONTENT + 1),
    "malformed": faults.malformed(CONTENT + 1),
    "ended": faults.ended(CONTENT + 1),
    "ended before message_stop": faults.ended(CONTENT + 5),
}


@pytest.mark.parametrize("name", LATE_BREAKS)
async def test_a_failure_after_it_comes_after_what_was_delivered(
    server: AnthropicServer, provider: AnthropicProvider, name: str
) -> None:
    server.inject(LATE_BREAKS[name])
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert isinstance(seen[0], Accepted)
    assert seen[1] == Delta("one")


async def test_a_refused_connection_is_unavailable(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    await server.refuse()
    with pytest.raises(UnavailableError) as caught:
        await told(provider)
    assert type(caught.value) is UnavailableError


ERRORS: dict[str, type[RouterError]] = {
    "overloaded_error": ProviderFailedError,
    "api_error": ProviderFailedError,
    "something_new": ProviderFailedError,
    "rate_limit_error": RateLimitError,
    "billing_error": ProviderRejectedError,
    "invalid_request_error": InvalidRequestError,
}


@pytest.mark.parametrize("breaks_at", [0, CONTENT + 1])
@pytest.mark.parametrize("kind", ERRORS)
async def test_an_error_within_the_stream(
    server: AnthropicServer, provider: AnthropicProvider, kind: str, breaks_at: int
) -> None:
    server.broken_by, server.breaks_at = error_event(kind, f"sorry, {KEY}"), breaks_at
    seen: list[ProviderEvent] = []
    with pytest.raises(RouterError) as caught:
        await keep(provider.generate(HELLO), seen)
    assert type(caught.value) is ERRORS[kind]
    assert "sorry, …" in caught.value.message
    assert [type(found) for found in seen] == ([Accepted, Delta] if breaks_at else [])


NONSENSE = {
    "no usage": event("message_start", message={"id": "1"}),
    "no message": event("message_start"),
    "usage of words": event("message_delta", delta={}, usage={"output_tokens": "many"}),
    "no delta": event("content_block_delta", index=0),
    "a number for text": event(
        "content_block_delta", index=0, delta={"type": "text_delta", "text": 5}
    ),
    "no arguments": event(
        "content_block_start", index=0, content_block={"type": "tool_use", "name": "f"}
    ),
    "a list": event("content_block_start", index=0, content_block=[]),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_a_failure(
    server: AnthropicServer, provider: AnthropicProvider, name: str
) -> None:
    server.broken_by, server.breaks_at = NONSENSE[name], CONTENT
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert seen == []


@pytest.mark.parametrize("after", [0, CONTENT])
async def test_a_stall_before_the_first_content_ends_with_the_waiting(
    server: AnthropicServer, provider: AnthropicProvider, after: int
) -> None:
    server.inject(faults.stall(after))
    seen: list[ProviderEvent] = []
    waiting = asyncio.ensure_future(keep(provider.generate(HELLO), seen))
    await server.until(lambda s: s.streaming == 1)
    waiting.cancel()
    await server.until(lambda s: s.left == 1)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seen == []


async def test_closing_leaves_the_provider_at_once(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.inject(faults.stall(CONTENT + 1))
    async with aclosing(provider.generate(HELLO)) as events:
        assert isinstance(await anext(events), Accepted)
        assert await anext(events) == Delta("one")
    await server.until(lambda s: s.left == 1)
    assert server.served.completion_tokens == 1


async def test_a_connection_that_stays_open_delays_no_end(
    server: AnthropicServer, provider: AnthropicProvider
) -> None:
    server.inject(faults.stall(after=99))
    assert isinstance((await told(provider))[-1], Finished)
    await server.until(lambda s: s.left == 1)
