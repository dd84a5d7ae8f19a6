"""A remote router offers what the one in the process offers: same answers, same errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace

import pytest

from integration.word_provider import Service
from llm_runner_router.backend import Backend, CallContext
from llm_runner_router.conversation_messages import (
    Append,
    Cancel,
    Credits,
    Failure,
    SessionEvent,
    SessionMessage,
    Start,
)
from llm_runner_router.decision import Decision
from llm_runner_router.errors import (
    InvalidConfigError,
    InvalidRequestError,
    ModelNotFoundError,
    RouterError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.registry.records import LoadProgress, ModelConfig, ModelQuery, ModelRecord
from llm_runner_router.remote import RemoteBackend
from llm_runner_router.types import (
    Complete,
    Message,
    Metrics,
    ModelFormat,
    Request,
    Response,
    Role,
)

PROMPT = Request(prompt="one two three", logprobs=1, prompt_logprobs=0)


def without_times(response: Response) -> Response:
    metrics = Metrics(response.metrics.prompt_tokens, response.metrics.completion_tokens)
    return replace(
        response,
        request_id="",
        metrics=metrics,
        token_ids=tuple(response.token_ids),
        logprobs=tuple(response.logprobs),
        prompt_logprobs=tuple(response.prompt_logprobs),
        decision=plain(response.decision),
        attempts=tuple(replace(a, started_ms=0.0, duration_ms=0.0) for a in response.attempts),
    )


def plain(decision: Decision | None) -> Decision | None:
    """A decision whose lists are tuples, as the wire makes them."""
    if decision is None:
        return None
    return replace(
        decision, candidates=tuple(decision.candidates), fallbacks=tuple(decision.fallbacks)
    )


async def test_answers_are_equal(service: Service, remote: RemoteBackend) -> None:
    here = await service.runtime.process(PROMPT)
    there = await remote.process(PROMPT)
    assert without_times(there) == without_times(here)
    events = [event async for event in remote.process_stream(PROMPT)]
    assert isinstance(events[-1], Complete)
    unsendable = Request(prompt="a", seed=-1)
    batch = await remote.process_batch([unsendable, PROMPT, Request(prompt="a", model="absent")])
    assert isinstance(batch[0], InvalidRequestError)
    assert isinstance(batch[1], Response)
    assert without_times(batch[1]) == without_times(here)
    assert isinstance(batch[2], ModelNotFoundError)


REFUSED: dict[str, Callable[[Backend], Awaitable[object]]] = {
    "no prompt": lambda backend: backend.process(Request()),
    "temperature": lambda backend: backend.process(Request(prompt="a", temperature=-1.0)),
    "negative count": lambda backend: backend.process(Request(prompt="a", max_tokens=-1)),
    "too long": lambda backend: backend.process(Request(prompt="word " * 2000)),
    "unknown model": lambda backend: backend.process(Request(prompt="a", model="absent")),
    "get absent": lambda backend: backend.get_model("absent"),
    "load absent": lambda backend: backend.load_model("absent"),
    "taken id": lambda backend: backend.register_model(
        ModelRecord("words", "words", ModelFormat.GGUF, "/w.gguf")
    ),
    "page token": lambda backend: backend.list_models(ModelQuery(page_token="!")),
    "config value": lambda backend: backend.update_config({"performance": {"max_concurrent": 0}}),
    "config at start only": lambda backend: backend.update_config({"server": {"port": 1}}),
    "token id": lambda backend: backend.detokenize(None, [4_000_000_000]),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_errors_are_equal(service: Service, remote: RemoteBackend, name: str) -> None:
    with pytest.raises(RouterError) as here:
        await REFUSED[name](service.runtime)
    with pytest.raises(RouterError) as there:
        await REFUSED[name](remote)
    assert type(there.value) is type(here.value)
    assert there.value.reason == here.value.reason
    facts = {"field", "prompt_tokens", "context_length", "model"}
    for fact in facts & vars(here.value).keys():
        assert str(getattr(there.value, fact)).strip("'") == str(getattr(here.value, fact))


async def test_models_are_kept(remote: RemoteBackend) -> None:
    config = ModelConfig(temperature=0.0, stop=("###",), gpu_layers=-1)
    record = ModelRecord("kept", "Kept", ModelFormat.GGUF, "/kept.gguf", config, labels={"a": "b"})
    added = await remote.register_model(record)
    assert replace(added.record, etag="", created=0.0, updated=0.0) == record
    assert added.record.created == added.record.updated > 0
    changed = replace(added.record, name="Other", config=ModelConfig())
    updated = await remote.update_model(changed, ["name", "config.temperature"])
    assert updated.record.name == "Other"
    assert updated.record.config == replace(config, temperature=None)
    assert await remote.get_model("kept") == updated
    steps: list[LoadProgress] = []
    loaded = await remote.load_model("kept", steps.append)
    assert loaded.loaded
    assert steps[-1].fraction == 1.0
    await remote.unload_model("kept")
    await remote.unregister_model("kept")
    assert [view.record.id for view in (await remote.list_models()).models] == ["words"]


async def test_config_status_and_health(service: Service, remote: RemoteBackend) -> None:
    values = await remote.update_config({"performance": {"max_queue": 7}})
    assert values["performance"]["max_queue"] == 7
    here = await service.runtime.get_config()
    assert values["performance"] == here["performance"]
    assert values["engine"] == here["engine"]
    assert values["server"] == here["server"]
    assert await remote.get_config() == values
    assert (await remote.get_status()).registered_models == 1
    assert await remote.check_health() == await service.runtime.check_health()
    with pytest.raises(InvalidConfigError, match="no_such"):
        await remote.update_config({"performance": {"no_such": 1}})


async def test_deadline_passes_through(service: Service, remote: RemoteBackend) -> None:
    service.provider.gate.clear()
    context = CallContext("bob", time.monotonic() + 0.3)
    with pytest.raises(TimeLimitError):
        await remote.process(Request(prompt="a"), context)
    await service.provider.ended.wait()
    call = service.provider.calls[0]
    assert call.caller == "bob"
    assert call.deadline == pytest.approx(context.deadline, abs=0.2)


async def test_deadline_that_has_passed(remote: RemoteBackend) -> None:
    with pytest.raises(TimeLimitError):
        await remote.process(Request(prompt="a"), CallContext(deadline=time.monotonic() - 1))


async def test_closing_the_stream_ends_the_work(service: Service, remote: RemoteBackend) -> None:
    service.provider.gate.clear()
    async with aclosing(remote.process_stream(Request(prompt="a b"))) as events:
        await anext(events)
        assert service.provider.running == 1
    await service.provider.ended.wait()


async def test_cancelling_the_task_ends_the_work(service: Service, remote: RemoteBackend) -> None:
    service.provider.gate.clear()
    task = asyncio.ensure_future(remote.process(Request(prompt="a b")))
    await service.provider.began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await service.provider.ended.wait()


class Script:
    """What a caller says in a session: a queue, so that tests decide when."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[SessionMessage | Exception | None] = asyncio.Queue()

    def say(self, *messages: SessionMessage | Exception | None) -> None:
        for message in messages:
            self.queue.put_nowait(message)

    async def messages(self) -> AsyncIterator[SessionMessage]:
        while (message := await self.queue.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message


async def session(backend: Backend) -> list[tuple[str, str]]:
    """One session with everything in it, in short."""
    script = Script()
    script.say(Start("a", Request(prompt="one two")))
    seen: list[tuple[str, str]] = []
    next_steps = iter(
        [
            [Append("a", [Message(Role.USER, "three")]), Credits("a", 10)],
            [Cancel("a"), Append("ghost", [Message(Role.USER, "?")])],
            [Start("b", Request(prompt="x", max_tokens=-5))],
            [None],
        ]
    )
    async with aclosing(backend.converse(script.messages())) as events:
        async for event in events:
            seen.append((event.request_id, shown(event)))
            if isinstance(event.event, Complete | Failure):
                script.say(*next(next_steps))
    return seen


def shown(event: SessionEvent) -> str:
    match event.event:
        case Failure(error=error):
            return error.reason
        case Complete(finish_reason=reason):
            return reason
        case other:
            return getattr(other, "text", "started")


async def test_sessions_are_equal(service: Service, remote: RemoteBackend) -> None:
    here, there = await session(service.runtime), await session(remote)
    assert there == here
    assert here == [
        ("a", "started"),
        ("a", "one "),
        ("a", "two "),
        ("a", "stop"),
        ("a", "started"),
        ("a", "three "),
        ("a", "stop"),
        ("ghost", "REQUEST_NOT_FOUND"),
        ("b", "INVALID_REQUEST"),
    ]


async def test_error_of_the_callers_iterator_ends_the_session(
    service: Service, remote: RemoteBackend
) -> None:
    service.provider.gate.clear()
    script = Script()
    script.say(Start("a", Request(prompt="one")), ValueError("the caller's own"))
    with pytest.raises(ValueError, match="the caller's own"):
        async for _ in remote.converse(script.messages()):
            pass


async def test_nobody_there_is_unavailable() -> None:
    backend = RemoteBackend("127.0.0.1:1", connect_timeout=0.2)
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1"):
        await backend.initialize()
    with pytest.raises(UnavailableError):
        await backend.process(Request(prompt="a"))
    await backend.close()


async def test_callers_name_must_fit_a_header(remote: RemoteBackend) -> None:
    with pytest.raises(InvalidRequestError, match="caller"):
        await remote.process(Request(prompt="a"), CallContext("new\nline"))
