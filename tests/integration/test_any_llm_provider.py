"""Answers by any-llm, whose provider openai is pointed at a server that speaks OpenAI's API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from integration.upstreams import faults
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.errors import (
    InvalidRequestError,
    ProviderFailedError,
    ProviderRejectedError,
    RateLimitError,
    RouterError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.providers.any_llm import AnyLlmProvider
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.tools import Tool, ToolCallDelta
from llm_runner_router.types import FinishReason, Metrics, ModelFormat, Request

KEY = "sk-a-key-that-nobody-may-see"
HELLO = Call("1", Request(prompt="hello", max_tokens=50, seed=0))


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as server:
        yield server


@pytest.fixture
def endpoint(server: OpenAIServer, tmp_path: Path) -> Endpoint:
    (tmp_path / "key").write_text(KEY)
    return Endpoint(f"{server.address}/v1", f"file:{tmp_path}/key")


@pytest_asyncio.fixture
async def provider(endpoint: Endpoint) -> AsyncIterator[AnyLlmProvider]:
    provider = await opened(endpoint)
    yield provider
    await provider.close()


async def opened(endpoint: Endpoint, name: str = "openai") -> AnyLlmProvider:
    """In a thread, as the loader does."""
    record = ModelRecord(
        "a", "a", ModelFormat.API, "gpt", provider=f"any-llm:{name}", endpoint=endpoint
    )
    return await asyncio.to_thread(AnyLlmProvider.open, record, HttpPool())


async def told(provider: AnyLlmProvider, call: Call = HELLO) -> list[ProviderEvent]:
    seen: list[ProviderEvent] = []
    await keep(provider.generate(call), seen)
    return seen


async def keep(events: AsyncIterator[ProviderEvent], seen: list[ProviderEvent]) -> None:
    """Also those before a failure."""
    async for found in events:
        seen.append(found)  # noqa: PERF401 - a comprehension would lose them


def text(events: list[ProviderEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


async def test_an_answer_with_its_usage(server: OpenAIServer, provider: AnyLlmProvider) -> None:
    server.usage = {"prompt_tokens_details": {"cached_tokens": 2}}
    accepted, *deltas, finished = await told(provider)
    assert isinstance(accepted, Accepted)
    assert text(deltas) == "one two three"
    metrics = Metrics(prompt_tokens=5, completion_tokens=3, cached_tokens=2)
    assert finished == Finished(FinishReason.STOP, metrics)
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert seen.body["model"] == "gpt"
    assert seen.body["messages"] == [{"role": "user", "content": "hello"}]
    assert seen.body["max_completion_tokens"] == 50
    assert seen.body["seed"] == 0


async def test_calls_of_tools(server: OpenAIServer, provider: AnyLlmProvider) -> None:
    server.words = ()
    server.finish_reason = "tool_calls"
    function = {"name": "now", "arguments": "{}"}
    server.tool_calls = [{"index": 0, "id": "c", "type": "function", "function": function}]
    request = Request(prompt="hi", tools=(Tool("now", "tells", '{"type": "object"}'),))
    _, delta, finished = await told(provider, Call("1", request))
    assert isinstance(delta, Delta)
    assert list(delta.tool_calls) == [ToolCallDelta(0, "c", "now", "{}")]
    assert isinstance(finished, Finished)
    assert finished.finish_reason is FinishReason.TOOL_CALLS
    assert server.seen[0].body["tools"][0]["function"]["name"] == "now"


STATUSES: dict[int, type[RouterError]] = {
    400: InvalidRequestError,
    401: ProviderRejectedError,
    402: ProviderRejectedError,
    403: ProviderRejectedError,
    404: ProviderRejectedError,
    429: RateLimitError,
    500: ProviderFailedError,
    503: ProviderFailedError,
}


@pytest.mark.parametrize("status", STATUSES)
async def test_what_a_status_means(
    server: OpenAIServer, provider: AnyLlmProvider, status: int
) -> None:
    body = f'{{"error": {{"message": "no, {KEY}"}}}}'
    server.inject(faults.status(status, body=body))
    with pytest.raises(RouterError) as caught:
        await told(provider)
    assert type(caught.value) is STATUSES[status]
    assert "no, …" in caught.value.message
    assert KEY not in f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.served.requests == 1


async def test_a_rate_limit_says_when_to_come_back(
    server: OpenAIServer, provider: AnyLlmProvider
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
    server: OpenAIServer, provider: AnyLlmProvider, name: str
) -> None:
    server.inject(BREAKS[name])
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert seen == []


@pytest.mark.parametrize("fault", [faults.cut(1), faults.malformed(1), faults.ended(1)])
async def test_a_failure_after_it_comes_after_what_was_delivered(
    server: OpenAIServer, provider: AnyLlmProvider, fault: faults.Fault
) -> None:
    server.inject(fault)
    seen: list[ProviderEvent] = []
    with pytest.raises(ProviderFailedError):
        await keep(provider.generate(HELLO), seen)
    assert isinstance(seen[0], Accepted)
    assert text(seen) == "one"


async def test_an_error_within_the_stream(server: OpenAIServer, provider: AnyLlmProvider) -> None:
    server.error = {"message": f"sorry, {KEY}"}
    with pytest.raises(ProviderFailedError, match="sorry, …"):
        await told(provider)


async def test_a_refused_connection_is_unavailable(
    server: OpenAIServer, provider: AnyLlmProvider
) -> None:
    await server.refuse()
    with pytest.raises(UnavailableError) as caught:
        await told(provider)
    assert type(caught.value) is UnavailableError


async def test_closing_leaves_the_provider_at_once(
    server: OpenAIServer, provider: AnyLlmProvider
) -> None:
    server.inject(faults.stall(1))
    async with aclosing(provider.generate(HELLO)) as events:
        assert isinstance(await anext(events), Accepted)
    await server.until(lambda s: s.left == 1)


async def test_fields_of_the_api_pass_through(server: OpenAIServer, endpoint: Endpoint) -> None:
    endpoint = replace(endpoint, options={"user": "u"}, headers={"X-Team": "a"})
    provider = await opened(endpoint)
    options = {"extra_body": {"new_field": 1}}
    await told(provider, Call("1", Request(prompt="hi", provider_options=options)))
    await provider.close()
    (seen,) = server.seen
    assert "a" in {seen.headers.get(name) for name in ("X-Team", "x-team")}
    assert (seen.body["user"], seen.body["new_field"]) == ("u", 1)


@pytest.mark.parametrize("options", [{"model": "other"}, {"extra_body": {"model": "other"}}])
async def test_what_is_asked_is_not_for_options_to_change(
    server: OpenAIServer, provider: AnyLlmProvider, options: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequestError, match="model"):
        await told(provider, Call("1", Request(prompt="hi", provider_options=options)))
    assert server.seen == []


@pytest.mark.parametrize("field", ["raw", "top_k", "prompt_logprobs"])
async def test_what_the_library_does_not_offer_is_named(
    provider: AnyLlmProvider, field: str
) -> None:
    wishes = {"raw": True, "top_k": 1, "prompt_logprobs": 0}
    with pytest.raises(UnsupportedError, match=f"^{field}: "):
        await told(provider, Call("1", Request(prompt="hi", **{field: wishes[field]})))


async def test_no_key_of_the_environment_reaches_an_address_of_the_record(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    provider = await opened(Endpoint(f"{server.address}/v1"))
    await told(provider)
    await provider.close()
    assert KEY not in str(server.seen[0].headers)


async def test_a_missing_key_and_an_unknown_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ProviderRejectedError, match="OPENAI_API_KEY"):
        await opened(Endpoint())
    with pytest.raises(ProviderRejectedError, match="nobody"):
        await opened(Endpoint(), "nobody")
