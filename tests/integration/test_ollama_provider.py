"""Answers by Ollama's own API, from a server that speaks it, and everything that can go wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import ollama
import pytest
import pytest_asyncio

from integration.upstreams import faults
from integration.upstreams.ollama_server import OllamaServer, line
from llm_runner_router.errors import (
    InvalidRequestError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    UnavailableError,
)
from llm_runner_router.providers.base import (
    Accepted,
    Call,
    Delta,
    Finished,
    Progress,
    ProviderEvent,
)
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.ollama import OllamaProvider
from llm_runner_router.registry.records import Endpoint, ModelConfig, ModelRecord
from llm_runner_router.tools import Tool, ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, Request

KEY = "a-key-that-nobody-may-see"
HELLO = Call("1", Request(prompt="hello", max_tokens=50))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OllamaServer]:
    async with OllamaServer().running() as server:
        yield server


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[HttpPool]:
    pool = HttpPool()
    yield pool
    await pool.close()


@pytest.fixture
def endpoint(server: OllamaServer, tmp_path: Path) -> Endpoint:
    (tmp_path / "key").write_text(KEY)
    return Endpoint(f"{server.address}/", f"file:{tmp_path}/key", headers={"X-Team": "a"})


@pytest.fixture
def provider(endpoint: Endpoint, pool: HttpPool) -> OllamaProvider:
    return OllamaProvider.open(record_of(endpoint), pool)


def record_of(endpoint: Endpoint) -> ModelRecord:
    return ModelRecord(
        "l",
        "l",
        ModelFormat.API,
        "llama3",
        ModelConfig(context_length=8192),
        provider="ollama",
        endpoint=endpoint,
    )


async def told(provider: OllamaProvider, call: Call = HELLO) -> list[ProviderEvent]:
    seen: list[ProviderEvent] = []
    await keep(provider.generate(call), seen)
    return seen


async def keep(events: AsyncIterator[ProviderEvent], seen: list[ProviderEvent]) -> None:
    """Also those before a failure."""
    async for found in events:
        seen.append(found)  # noqa: PERF401 - a comprehension would lose them


METRICS = Metrics(prompt_tokens=7, completion_tokens=3)


async def test_a_chat_with_its_usage(server: OllamaServer, provider: OllamaProvider) -> None:
    *said, finished = await told(provider)
    assert said == [Accepted(), Delta("one"), Delta(" two"), Delta(" three")]
    assert finished == Finished(FinishReason.STOP, METRICS)
    (seen,) = server.seen
    assert seen.path == "/api/chat"
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert seen.headers["X-Team"] == "a"
    assert seen.body == {
        "model": "llama3",
        "stream": True,
        "messages": [{"role": "user", "content": "hello"}],
        "options": {"num_predict": 50, "num_ctx": 8192},
    }
    assert provider.details.context_length == 8192


async def test_a_raw_prompt(server: OllamaServer, provider: OllamaProvider) -> None:
    accepted, *deltas, finished = await told(provider, Call("1", Request(prompt="on", raw=True)))
    assert isinstance(accepted, Accepted)
    assert "".join(delta.text for delta in deltas if isinstance(delta, Delta)) == "one two three"
    assert finished == Finished(FinishReason.STOP, METRICS)
    (seen,) = server.seen
    assert seen.path == "/api/generate"
    assert (seen.body["prompt"], seen.body["raw"]) == ("on", True)


async def test_the_official_client_understands_the_server(server: OllamaServer) -> None:
    async with ollama.AsyncClient(server.address) as client:
        chat = await client.chat("llama3", [{"role": "user", "content": "hi"}], stream=True)
        parts = [part async for part in chat]
        generated = [part async for part in await client.generate("llama3", "on", stream=True)]
    assert "".join(part.message.content or "" for part in parts) == "one two three"
    assert "".join(part.response or "" for part in generated) == "one two three"
    assert (parts[-1].done, parts[-1].prompt_eval_count, parts[-1].eval_count) == (True, 7, 3)
    assert generated[-1].done_reason == "stop"


async def test_connections_are_used_again(server: OllamaServer, provider: OllamaProvider) -> None:
    for _ in range(3):
        await told(provider)
    assert server.open_connections == 1
    assert server.served.completed == 3


async def test_thinking_is_no_text(server: OllamaServer, provider: OllamaProvider) -> None:
    server.thinking = "hm"
    thought, accepted, *deltas, finished = await told(provider)
    assert (thought, accepted) == (Progress("hm"), Accepted())
    assert "".join(delta.text for delta in deltas if isinstance(delta, Delta)) == "one two three"
    assert isinstance(finished, Finished)
    assert finished.metrics.completion_tokens == 4


async def test_calls_of_tools(server: OllamaServer, provider: OllamaProvider) -> None:
    server.words = ()
    server.tool_calls = [
        {"name": "weather", "arguments": {"in": "Zürich"}},
        {"name": "now", "arguments": {}},
    ]
    schema = {"type": "object", "properties": {"at": {"type": "object", "properties": {"x": {}}}}}
    tools = (Tool("weather", "tells", json.dumps(schema)), Tool("now"))
    _, delta, finished = await told(provider, Call("r", Request(prompt="hi", tools=tools)))
    assert isinstance(delta, Delta)
    assert delta.tool_calls == (
        ToolCallDelta(0, "call_r_0", "weather", '{"in": "Zürich"}'),
        ToolCallDelta(1, "call_r_1", "now", "{}"),
    )
    assert isinstance(finished, Finished)
    assert finished.finish_reason is FinishReason.TOOL_CALLS
    (seen,) = server.seen
    assert seen.body["tools"][0]["function"]["parameters"] == schema


REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "load": FinishReason.STOP,
}


@pytest.mark.parametrize("reason", REASONS)
async def test_why_an_answer_ends(
    server: OllamaServer, provider: OllamaProvider, reason: str
) -> None:
    server.done_reason = reason
    finished = (await told(provider))[-1]
    assert isinstance(finished, Finished)
    assert finished.finish_reason is REASONS[reason]


async def test_an_empty_answer_is_an_answer(server: OllamaServer, provider: OllamaProvider) -> None:
    server.words = ()
    metrics = Metrics(prompt_tokens=7)
    assert await told(provider) == [Accepted(), Finished(FinishReason.STOP, metrics)]


STATUSES: dict[int, type[RouterError]] = {
    302: ProviderFailedError,
    400: InvalidRequestError,
    401: ProviderRejectedError,
    403: ProviderRejectedError,
    404: ProviderRejectedError,
    429: RateLimitError,
    500: ProviderFailedError,
    503: ProviderFailedError,
}


@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_status_means(
    server: OllamaServer, provider: OllamaProvider, status: int
) -> None:
    server.inject(faults.status(status, body=f"no, {KEY}"))
    with pytest.raises(RouterError) as caught:
        await told(provider)
    assert type(caught.value) is STATUSES[status]
    assert "no, …" in caught.value.message
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.served.requests == 1


async def test_a_rate_limit_says_when_to_come_back(
    server: OllamaServer, provider: OllamaProvider
) -> None:
    server.inject(faults.status(429, "17"))
    with pytest.raises(RateLimitError) as caught:
        await told(provider)
    assert caught.value.retry_after == 17.0


BREAKS = {
    "reset": faults.reset(),
    "cut": faults.cut(0),
    "malformed": faults.malformed(0),
    "ended": faults.ended(0),
}


@pytest.mark.parametrize("name", BREAKS)
async def test_a_failure_before_the_first_content_commits_to_nothing(
    server: OllamaServer, provider: OllamaProvider, name: str
) -> None:
    server.inject(BREAKS[name])
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert seen == []


LATE_BREAKS = {
    "cut": faults.cut(1),
    "malformed": faults.malformed(1),
    "ended": faults.ended(1),
    "ended before the last line": faults.ended(3),
}


@pytest.mark.parametrize("name", LATE_BREAKS)
async def test_a_failure_after_it_comes_after_what_was_delivered(
    server: OllamaServer, provider: OllamaProvider, name: str
) -> None:
    server.inject(LATE_BREAKS[name])
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert [type(found) for found in seen[:2]] == [Accepted, Delta]
    assert not isinstance(seen[-1], Finished)


async def test_a_refused_connection_is_unavailable(
    server: OllamaServer, provider: OllamaProvider
) -> None:
    await server.refuse()
    with pytest.raises(UnavailableError) as caught:
        await told(provider)
    assert type(caught.value) is UnavailableError


@pytest.mark.parametrize("breaks_at", [0, 1])
async def test_an_error_within_the_stream(
    server: OllamaServer, provider: OllamaProvider, breaks_at: int
) -> None:
    server.broken_by, server.breaks_at = line(error=f"sorry, {KEY}"), breaks_at
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError, match="sorry, …"):
        await keep(provider.generate(HELLO), seen)
    assert [type(found) for found in seen] == ([Accepted, Delta] if breaks_at else [])


NONSENSE = {
    "no message": line(model="llama3", done=False),
    "a number for text": line(message={"role": "assistant", "content": 5}, done=False),
    "text for arguments": line(
        message={
            "role": "assistant",
            "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}],
        },
        done=False,
    ),
    "usage of words": line(message={"role": "assistant"}, done=True, eval_count="many"),
}


@pytest.mark.parametrize("name", NONSENSE)
async def test_nonsense_is_a_failure(
    server: OllamaServer, provider: OllamaProvider, name: str
) -> None:
    server.broken_by = NONSENSE[name]
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert seen == []


async def test_a_stall_before_the_first_content_ends_with_the_waiting(
    server: OllamaServer, provider: OllamaProvider
) -> None:
    server.inject(faults.stall(0))
    seen: list[ProviderEvent] = []
    waiting = asyncio.ensure_future(keep(provider.generate(HELLO), seen))
    await server.until(lambda s: s.streaming == 1)
    waiting.cancel()
    await server.until(lambda s: s.left == 1)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert seen == []


async def test_closing_leaves_the_provider_at_once(
    server: OllamaServer, provider: OllamaProvider
) -> None:
    server.inject(faults.stall(1))
    async with aclosing(provider.generate(HELLO)) as events:
        assert isinstance(await anext(events), Accepted)
        assert isinstance(await anext(events), Delta)
    await server.until(lambda s: s.left == 1)
    assert server.served.completion_tokens == 1


async def test_a_connection_that_stays_open_delays_no_end(
    server: OllamaServer, provider: OllamaProvider
) -> None:
    server.inject(faults.stall(after=99))
    assert isinstance((await told(provider))[-1], Finished)
    await server.until(lambda s: s.left == 1)


async def test_each_piece_comes_when_it_is_there(
    server: OllamaServer, provider: OllamaProvider
) -> None:
    gate = asyncio.Semaphore(1)
    server.inject(faults.drip(gate))
    async with aclosing(provider.generate(HELLO)) as events:
        assert isinstance(await anext(events), Accepted)
        assert await anext(events) == Delta("one")
        gate.release()
        assert await anext(events) == Delta(" two")


async def test_fields_of_the_api_pass_through(
    server: OllamaServer, pool: HttpPool, endpoint: Endpoint
) -> None:
    own = {"keep_alive": "5m", "options": {"num_gpu": 1, "mirostat": 1}}
    provider = OllamaProvider.open(record_of(replace(endpoint, options=own)), pool)
    callers = {"think": True, "options": {"num_gpu": 2}}
    await told(provider, Call("1", Request(prompt="hi", provider_options=callers)))
    (seen,) = server.seen
    assert (seen.body["keep_alive"], seen.body["think"]) == ("5m", True)
    assert seen.body["options"] == {"num_ctx": 8192, "num_gpu": 2, "mirostat": 1}


@pytest.mark.parametrize("name", ["model", "stream", "prompt"])
async def test_what_is_asked_is_not_for_options_to_change(
    server: OllamaServer, provider: OllamaProvider, name: str
) -> None:
    request = Request(prompt="hi", provider_options={name: "other"})
    with pytest.raises(InvalidRequestError, match="provider_options"):
        await told(provider, Call("1", request))
    assert server.seen == []


async def test_nothing_of_the_environment_reaches_an_address_of_the_record(
    server: OllamaServer, pool: HttpPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", KEY)
    await told(OllamaProvider.open(record_of(Endpoint(server.address)), pool))
    (seen,) = server.seen
    assert "Authorization" not in seen.headers
