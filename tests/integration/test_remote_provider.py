"""Models of another service over gRPC: same answers, same errors, and nothing decided twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

from integration.word_provider import Service, running
from llm_runner_router.config.sources import load_config
from llm_runner_router.errors import (
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    RouterError,
    TimeLimitError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.preferences import CacheMode, Routing, Strategy
from llm_runner_router.providers.base import Accepted, Call, Delta, Finished, ProviderEvent
from llm_runner_router.providers.http_pool import HttpPool
from llm_runner_router.providers.remote import RemoteProvider
from llm_runner_router.registry.records import Endpoint, ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.types import FinishReason, ModelFormat, Request


def record_of(address: str | None, source: str = "words") -> ModelRecord:
    endpoint = Endpoint(base_url=address)
    return ModelRecord("far", "far", ModelFormat.API, source, provider="remote", endpoint=endpoint)


@asynccontextmanager
async def asking(address: str, source: str = "words") -> AsyncIterator[RemoteProvider]:
    # In a thread, as the loader does.
    provider = await asyncio.to_thread(RemoteProvider.open, record_of(address, source), HttpPool())
    try:
        yield provider
    finally:
        await provider.close()


@pytest_asyncio.fixture
async def provider(service: Service) -> AsyncIterator[RemoteProvider]:
    async with asking(service.address) as provider:
        yield provider


async def told(provider: RemoteProvider, call: Call) -> list[ProviderEvent]:
    async with aclosing(provider.generate(call)) as events:
        return [event async for event in events]


async def keep(events: AsyncIterator[ProviderEvent], seen: list[ProviderEvent]) -> None:
    """Also those before a failure."""
    async for event in events:
        seen.append(event)  # noqa: PERF401 - a comprehension would lose them


def text(events: list[ProviderEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


class OneWord(asyncio.Event):
    """A gate that lets one word through, and more once it is set."""

    passed = False

    async def wait(self) -> Literal[True]:
        if not self.passed:
            self.passed = True
            return True
        return await super().wait()


async def test_an_answer_with_all_that_belongs_to_it(provider: RemoteProvider) -> None:
    request = Request(prompt="one two three", max_tokens=2, logprobs=1, prompt_logprobs=0)
    accepted, *deltas, finished = await told(provider, Call("1", request))
    assert isinstance(accepted, Accepted)
    assert [token.token for token in accepted.prompt_logprobs] == ["one", "two", "three"]
    assert text(deltas) == "one two "
    assert [d.token_ids for d in deltas if isinstance(d, Delta)] == [(0,), (1,)]
    assert all(delta.logprobs for delta in deltas if isinstance(delta, Delta))
    assert isinstance(finished, Finished)
    assert finished.finish_reason is FinishReason.LENGTH
    assert (finished.metrics.prompt_tokens, finished.metrics.completion_tokens) == (3, 2)


async def test_the_far_service_neither_routes_nor_caches_again(
    service: Service, provider: RemoteProvider
) -> None:
    routing = Routing(strategy=Strategy.RANDOM, fallbacks=("elsewhere",))
    request = Request(prompt="a", model="here only", routing=routing)
    await told(provider, Call("1", request, caller="alice"))
    (call,) = service.provider.calls
    assert call.caller == "alice"
    assert call.request.model == "words"
    assert call.request.routing == Routing()
    assert call.request.cache.mode is CacheMode.BYPASS


async def test_no_source_leaves_the_choice_to_the_far_service(service: Service) -> None:
    async with asking(service.address, source="") as provider:
        assert text(await told(provider, Call("1", Request(prompt="a b", model="far")))) == "a b "


async def test_closing_cancels_at_the_far_service(
    service: Service, provider: RemoteProvider
) -> None:
    service.provider.gate = OneWord()
    events = provider.generate(Call("1", Request(prompt="one two")))
    assert isinstance(await anext(events), Accepted)
    await events.aclose()
    await service.provider.ended.wait()
    assert service.provider.said == 1


async def test_a_far_start_commits_to_nothing(service: Service, provider: RemoteProvider) -> None:
    service.provider.gate.clear()
    seen: list[ProviderEvent] = []
    call = Call("1", Request(prompt="a"), deadline=time.monotonic() + 0.5)
    with pytest.raises(TimeLimitError):
        await keep(provider.generate(call), seen)
    assert service.provider.calls
    assert seen == []


FAILURES: dict[str, tuple[Request, str, type[RouterError]]] = {
    "unknown model": (Request(prompt="a"), "absent", ModelNotFoundError),
    "too long": (Request(prompt="word " * 2000), "words", ContextLengthError),
    "bad field": (Request(prompt="a", temperature=-1.0), "words", InvalidRequestError),
}


@pytest.mark.parametrize("name", FAILURES)
async def test_errors_come_back_as_they_were_raised(service: Service, name: str) -> None:
    request, source, kind = FAILURES[name]
    async with asking(service.address, source) as provider:
        with pytest.raises(kind) as caught:
            await told(provider, Call("1", request))
    assert type(caught.value) is kind


async def test_a_service_that_is_away_is_unavailable() -> None:
    async with asking("127.0.0.1:1") as provider:
        with pytest.raises(UnavailableError):
            await told(provider, Call("1", Request(prompt="a")))
        assert provider.usable
    assert not provider.usable


async def test_a_service_that_dies_ends_the_answer(tmp_path: Path) -> None:
    async with running() as service:
        server = Server(
            service.runtime, ServerOptions(host=f"unix:{tmp_path}/far", drain_timeout=0)
        )
        await server.start()
        async with asking(server.address) as provider:
            service.provider.gate = OneWord()
            events = provider.generate(Call("1", Request(prompt="one two")))
            assert isinstance(await anext(events), Accepted)
            stopping = asyncio.ensure_future(server.stop())
            with pytest.raises(UnavailableError):
                await keep(events, [])
            await stopping


async def test_what_only_the_far_service_knows(provider: RemoteProvider) -> None:
    with pytest.raises(UnsupportedError):
        provider.tokenize("a", add_special=False, parse_special=False)
    with pytest.raises(UnsupportedError):
        provider.detokenize([1])
    provider.release("1")


async def test_a_closed_provider_answers_no_more(provider: RemoteProvider) -> None:
    await provider.close()
    await provider.close()
    with pytest.raises(UnavailableError):
        await told(provider, Call("1", Request(prompt="a")))


def test_an_address_is_needed() -> None:
    with pytest.raises(InvalidRequestError, match=r"endpoint\.base_url"):
        RemoteProvider.open(record_of(None), HttpPool())


async def test_a_service_before_a_service_on_a_unix_socket(tmp_path: Path) -> None:
    async with running() as far:
        far_server = Server(far.runtime, ServerOptions(host=f"unix:{tmp_path}/far.sock"))
        await far_server.start()
        assert far_server.address == f"unix:{tmp_path}/far.sock"
        near = Runtime(load_config({}, environment={}, folder=Path("/nonexistent")))
        await near.initialize()
        await near.register_model(record_of(far_server.address))
        try:
            response = await near.process(Request(prompt="one two", model="far"))
        finally:
            await near.close()
            await far_server.stop()
    assert response.response == "one two "
    assert response.model_used == "far"
    assert response.metrics.completion_tokens == 2
