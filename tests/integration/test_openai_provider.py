"""The provider of OpenAI's API against a server on loopback, whole and with faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import openai
import pytest
import pytest_asyncio

from integration.openai_models import HELLO, KEY, answer, failure, provider_at, text, upstream
from integration.upstreams.faults import (
    Fault,
    FaultKind,
    cut,
    drip,
    ended,
    malformed,
    reset,
    stall,
    status,
)
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router.errors import (
    ContextLengthError,
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
from llm_runner_router.providers.openai import OpenAIProvider
from llm_runner_router.tools import Tool, ToolCallDelta
from llm_runner_router.types import (
    FinishReason,
    Metrics,
    Request,
    TokenLogprob,
    TopLogprob,
)


@pytest_asyncio.fixture
async def reached() -> AsyncIterator[tuple[OpenAIServer, HttpPool]]:
    async with upstream() as reached:
        yield reached


@pytest.fixture
def server(reached: tuple[OpenAIServer, HttpPool]) -> OpenAIServer:
    return reached[0]


@pytest.fixture
def pool(reached: tuple[OpenAIServer, HttpPool]) -> HttpPool:
    return reached[1]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", KEY)


@pytest.fixture
def provider(server: OpenAIServer, pool: HttpPool) -> OpenAIProvider:
    return provider_at(server, pool)


async def test_the_official_client_understands_the_server(server: OpenAIServer) -> None:
    async with openai.AsyncOpenAI(base_url=f"{server.address}/v1", api_key="x") as client:
        stream = await client.chat.completions.create(
            model="big-model",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
        said = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert said == "one two three"
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens == 3
        continued = await client.completions.create(model="big-model", prompt="x", stream=True)
        assert "".join([c.choices[0].text async for c in continued]) == "one two three"


async def test_an_answer(server: OpenAIServer, provider: OpenAIProvider) -> None:
    server.usage = {
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
        "cost": 0.25,
    }
    events = await answer(provider)
    assert isinstance(events[0], Accepted)
    assert text(events) == "one two three"
    used = Metrics(
        prompt_tokens=5, completion_tokens=3, cached_tokens=4, reasoning_tokens=2, cost_usd=0.25
    )
    assert events[-1] == Finished(FinishReason.STOP, used)
    (seen,) = server.seen
    assert seen.path == "/v1/chat/completions"
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    assert seen.body == {
        "model": "big-model",
        "messages": [{"role": "user", "content": "hello"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert provider.details.context_length == 8192


async def test_a_raw_prompt_is_continued(server: OpenAIServer, provider: OpenAIProvider) -> None:
    server.logprobs = [
        {"tokens": [word], "token_logprobs": [-1.0], "top_logprobs": [{"x": -2.0}]}
        for word in server.words
    ]
    events = await answer(provider, Request(prompt="say", raw=True, logprobs=1))
    assert text(events) == "one two three"
    found = [entry for event in events if isinstance(event, Delta) for entry in event.logprobs]
    assert found[0] == TokenLogprob(0, "one", -1.0, [TopLogprob(0, "x", -2.0)])
    assert server.seen[0].path == "/v1/completions"
    assert server.seen[0].body["logprobs"] == 1


async def test_tool_calls(server: OpenAIServer, provider: OpenAIProvider) -> None:
    server.words, server.finish_reason = (), "tool_calls"
    server.tool_calls = [
        {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"x":'}},
        {"index": 0, "function": {"arguments": " 1}"}},
    ]
    events = await answer(provider, Request(prompt="x", tools=(Tool("f"),)))
    calls = [call for event in events if isinstance(event, Delta) for call in event.tool_calls]
    assert calls[0] == ToolCallDelta(0, "c1", "f")
    assert "".join(call.arguments for call in calls) == '{"x": 1}'
    assert isinstance(events[-1], Finished)
    assert events[-1].finish_reason is FinishReason.TOOL_CALLS


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("length", FinishReason.LENGTH),
        ("content_filter", FinishReason.CONTENT_FILTER),
        ("function_call", FinishReason.TOOL_CALLS),
    ],
)
async def test_an_answer_without_content_is_accepted_at_its_end(
    server: OpenAIServer, provider: OpenAIProvider, word: str, reason: FinishReason
) -> None:
    server.words, server.finish_reason = (), word
    used = Metrics(prompt_tokens=5)
    assert await answer(provider) == [Accepted(metrics=used), Finished(reason, used)]


@pytest.mark.parametrize(("reason", "done"), [(None, True), ("stop", False)])
async def test_either_sign_of_the_end_is_enough(
    server: OpenAIServer, provider: OpenAIProvider, reason: str | None, done: bool
) -> None:
    server.finish_reason, server.done = reason, done
    events = await answer(provider)
    assert isinstance(events[-1], Finished)


STATUSES: list[tuple[Fault, type[RouterError], str]] = [
    (status(500), ProviderFailedError, "openai answered 500: as you wished"),
    (status(503, "7"), ProviderFailedError, "answered 503"),
    (status(529, "7"), ProviderFailedError, "answered 529"),
    (status(401, body='{"error": {"message": "bad key"}}'), ProviderRejectedError, "401: bad key"),
    (status(402), ProviderRejectedError, "402"),
    (status(403), ProviderRejectedError, "403"),
    (status(404, body='{"detail": "Not Found"}'), ProviderRejectedError, "404: Not Found"),
    (status(400, body='{"error": {"message": "no"}}'), InvalidRequestError, "request: 400.*no"),
    (status(413), InvalidRequestError, "request"),
    (status(422, body="what?"), InvalidRequestError, "what"),
    (status(302), ProviderFailedError, "302"),
    (reset(), ProviderFailedError, "broke off"),
    (cut(0), ProviderFailedError, "broke off"),
    (ended(0), ProviderFailedError, "before the end"),
    (malformed(0), ProviderFailedError, "no part of an answer"),
]


@pytest.mark.parametrize(("fault", "kind", "message"), STATUSES)
async def test_what_fails_before_the_first_content_commits_nothing(
    server: OpenAIServer,
    provider: OpenAIProvider,
    fault: Fault,
    kind: type[RouterError],
    message: str,
) -> None:
    server.inject(fault)
    events, error = await failure(provider)
    assert (events, type(error)) == ([], kind)
    with pytest.raises(kind, match=message):
        raise error
    assert text(await answer(provider)) == "one two three"  # the next one is not harmed


async def test_a_rate_limit_says_when_to_come_again(
    server: OpenAIServer, provider: OpenAIProvider
) -> None:
    server.inject(status(429, "7"))
    _, error = await failure(provider)
    assert isinstance(error, RateLimitError)
    assert error.retry_after == 7.0
    assert len(server.seen) == 1  # the client itself does not try again


async def test_a_prompt_too_long(server: OpenAIServer, provider: OpenAIProvider) -> None:
    said = (
        '{"error": {"code": "context_length_exceeded", "message": "This model\'s maximum context '
        'length is 4097 tokens. However, your messages resulted in 5000 tokens."}}'
    )
    server.inject(status(400, body=said), status(400, body=said.replace("4097", "few")))
    _, error = await failure(provider)
    assert isinstance(error, ContextLengthError)
    assert (error.prompt_tokens, error.context_length) == (5000, 4097)
    _, error = await failure(provider)
    assert isinstance(error, InvalidRequestError)
    assert error.field == "prompt"


@pytest.mark.parametrize("kind", [FaultKind.CUT, FaultKind.ENDED, FaultKind.MALFORMED])
async def test_what_fails_later_comes_after_what_was_delivered(
    server: OpenAIServer, provider: OpenAIProvider, kind: FaultKind
) -> None:
    gate = asyncio.Semaphore(0)
    server.inject(Fault(kind, 2, gate=gate))
    stream = provider.generate(Call("id", HELLO))
    gate.release()
    assert isinstance(await anext(stream), Accepted)
    assert await anext(stream) == Delta("one")
    gate.release()
    assert await anext(stream) == Delta(" two")
    gate.release()
    with pytest.raises(ProviderFailedError):
        await anext(stream)


async def test_the_role_alone_commits_nothing(
    server: OpenAIServer, provider: OpenAIProvider
) -> None:
    server.role_apart = True
    server.inject(cut(1))
    events, error = await failure(provider)
    assert events == [Progress("")]
    assert isinstance(error, ProviderFailedError)


async def test_comments_and_thoughts_are_signs_of_life(
    server: OpenAIServer, provider: OpenAIProvider
) -> None:
    server.comment, server.thoughts = "PROCESSING", ("hm",)
    gate = asyncio.Semaphore(1)
    server.inject(drip(gate))
    seen: list[ProviderEvent] = []
    async for event in provider.generate(Call("id", HELLO)):
        seen.append(event)
        gate.release()
    assert seen[:3] == [Progress(""), Progress("hm"), Accepted()]
    assert text(seen) == "one two three"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"message": "overloaded", "code": 429}, RateLimitError),
        ({"message": "broken", "code": "server_error"}, ProviderFailedError),
    ],
)
async def test_an_error_in_the_stream(
    server: OpenAIServer, provider: OpenAIProvider, said: dict[str, Any], kind: type[RouterError]
) -> None:
    server.error = said
    _, error = await failure(provider)
    assert type(error) is kind
    assert str(said["message"]) in error.message


async def test_a_refused_connection(server: OpenAIServer, provider: OpenAIProvider) -> None:
    await server.refuse()
    events, error = await failure(provider)
    assert (events, type(error)) == ([], UnavailableError)
    await server.listen()
    assert text(await answer(provider)) == "one two three"


@pytest.mark.parametrize("after", [0, 1])
async def test_cancelling_a_stalled_answer_closes_the_connection(
    server: OpenAIServer, provider: OpenAIProvider, after: int
) -> None:
    server.inject(stall(after))
    delivered: asyncio.Queue[ProviderEvent] = asyncio.Queue()

    async def consume() -> None:
        async for event in provider.generate(Call("id", HELLO)):
            delivered.put_nowait(event)

    task = asyncio.create_task(consume())
    await server.until(lambda server: server.streaming == 1)
    for _ in range(2 * after):
        await delivered.get()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await server.until(lambda server: server.left == 1)
    assert delivered.empty()


async def test_closing_the_generator_closes_the_connection(
    server: OpenAIServer, provider: OpenAIProvider
) -> None:
    server.inject(stall(1))
    async with aclosing(provider.generate(Call("id", HELLO))) as stream:
        await anext(stream)
    await server.until(lambda server: server.left == 1)
    assert server.served.completion_tokens == 1


async def test_a_slow_drip_comes_drop_by_drop(
    server: OpenAIServer, provider: OpenAIProvider
) -> None:
    gate = asyncio.Semaphore(0)
    server.inject(drip(gate))
    stream = provider.generate(Call("id", HELLO))
    said = []
    gate.release()
    assert isinstance(await anext(stream), Accepted)
    for _ in server.words:
        said.append(await anext(stream))
        gate.release()
    assert said == [Delta("one"), Delta(" two"), Delta(" three")]
    assert isinstance(await anext(stream), Finished)


async def test_answers_one_after_another_share_a_connection(
    server: OpenAIServer, provider: OpenAIProvider, pool: HttpPool
) -> None:
    other = provider_at(server, pool, "vllm")
    for _ in range(3):
        await answer(provider)
        await answer(other)
    assert len({seen.connection for seen in server.seen}) == 1
    assert server.open_connections == 1
    assert server.served.completed == 6


async def test_a_server_that_does_not_hang_up_delays_no_end(
    server: OpenAIServer, provider: OpenAIProvider
) -> None:
    server.inject(stall(99))
    assert isinstance((await answer(provider))[-1], Finished)
    await server.until(lambda server: server.left == 1)
