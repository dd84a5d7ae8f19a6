"""Real models in this process: the router over the engine."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from llm_runner_router import _core
from llm_runner_router.backend import CallContext
from llm_runner_router.config.sources import load_config
from llm_runner_router.conversation_messages import Append, SessionMessage, Start
from llm_runner_router.errors import (
    ContextLengthError,
    EngineError,
    InvalidRequestError,
    ModelFileError,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.providers.local import LocalProvider
from llm_runner_router.registry.records import LoadProgress, ModelConfig, ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.types import (
    Chunk,
    Complete,
    FinishReason,
    Message,
    ModelFormat,
    Request,
    Role,
    Started,
)
from unit import tiny_model
from unit.echoes import collect, until

LONG = Request(prompt="hello world", ignore_eos=True, seed=1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest_asyncio.fixture
async def runtime(tiny: Path) -> AsyncIterator[Runtime]:
    config = {"engine": {"threads": 1, "kvType": "f32"}, "cache": {"enabled": False}}
    runtime = Runtime(load_config(config, environment={}, folder=tiny.parent))
    await runtime.initialize()
    await runtime.register_model(record("tiny", "tiny.gguf"))
    yield runtime
    await runtime.close()


def record(name: str, source: str, **config: Any) -> ModelRecord:
    return ModelRecord(name, "", ModelFormat.GGUF, source, ModelConfig(**config))


def provider(runtime: Runtime, name: str = "tiny") -> LocalProvider:
    found = runtime._parts.stages.residency.provider(name)
    assert isinstance(found, LocalProvider)
    return found


def stats(runtime: Runtime) -> _core.EngineStats:
    return provider(runtime)._engine.stats()


async def test_the_same_seed_gives_the_same_answer(runtime: Runtime) -> None:
    request = Request(prompt="hello", max_tokens=20, seed=5)
    first, second = [await runtime.process(request) for _ in range(2)]
    assert (first.response, first.token_ids) == (second.response, second.token_ids)
    other = await runtime.process(Request(prompt="hello", max_tokens=20, seed=6))
    assert other.token_ids != first.token_ids


async def test_no_seed_gives_different_answers(runtime: Runtime) -> None:
    request = Request(prompt="hello", max_tokens=20, temperature=2.0)
    answers = {tuple((await runtime.process(request)).token_ids) for _ in range(3)}
    assert len(answers) == 3


async def test_a_stream_adds_up_to_the_answer(runtime: Runtime) -> None:
    request = Request(prompt="hello", max_tokens=30, seed=2, logprobs=2, prompt_logprobs=1)
    whole = await runtime.process(request)
    events = await collect(runtime.process_stream(request))
    started, complete = events[0], events[-1]
    chunks = [event for event in events if isinstance(event, Chunk)]
    assert isinstance(started, Started)
    assert isinstance(complete, Complete)
    assert "".join(chunk.text for chunk in chunks) == whole.response
    assert tuple(token for chunk in chunks for token in chunk.token_ids) == whole.token_ids
    assert [chunk.sequence for chunk in chunks] == list(range(len(chunks)))
    assert len(whole.logprobs) == len(whole.token_ids)
    assert all(len(logprob.top) == 2 for logprob in whole.logprobs)
    assert len(started.prompt_logprobs) == complete.metrics.prompt_tokens
    assert started.prompt_logprobs[0].logprob is None
    assert started.prompt_logprobs[0].token == "<|start|>"
    assert complete.metrics.completion_tokens == len(whole.token_ids)
    assert complete.metrics.duration_ms >= complete.metrics.first_token_ms > 0


async def test_max_tokens_and_the_context_end_an_answer(runtime: Runtime) -> None:
    answer = await runtime.process(Request(prompt="hello", max_tokens=3, ignore_eos=True))
    assert answer.finish_reason is FinishReason.LENGTH
    assert len(answer.token_ids) == 3
    answer = await runtime.process(LONG)
    assert answer.finish_reason is FinishReason.LENGTH
    assert answer.metrics.total_tokens == tiny_model.CONTEXT


async def test_a_prompt_that_is_too_long_says_both_numbers(runtime: Runtime) -> None:
    with pytest.raises(ContextLengthError) as caught:
        await runtime.process(Request(prompt="x" * 300, raw=True))
    assert (caught.value.prompt_tokens, caught.value.context_length) == (300, 256)
    await runtime.process(Request(prompt="x" * 255, raw=True))


async def test_the_record_sets_the_context(runtime: Runtime) -> None:
    await runtime.register_model(record("short", "tiny.gguf", context_length=64, max_tokens=2))
    view = await runtime.load_model("short")
    assert view.details.context_length == 64
    answer = await runtime.process(Request(prompt="hello", model="short", ignore_eos=True))
    assert len(answer.token_ids) == 2
    with pytest.raises(ContextLengthError):
        await runtime.process(Request(prompt="x" * 64, raw=True, model="short"))


async def test_the_service_s_context_is_a_limit(tiny: Path) -> None:
    for wanted, found in ((100, 100), (1000, 256), (0, 256)):
        config = {"engine": {"contextLength": wanted}}
        runtime = Runtime(load_config(config, environment={}, folder=tiny.parent))
        await runtime.initialize()
        await runtime.register_model(record("tiny", "tiny.gguf"))
        assert (await runtime.load_model("tiny")).details.context_length == found
        await runtime.register_model(record("more", "tiny.gguf", context_length=1000))
        with pytest.raises(ModelFileError, match="context_length is 1000"):
            await runtime.load_model("more")
        await runtime.close()


async def test_weights_that_are_no_numbers(runtime: Runtime, tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path / "nan.gguf", scale=float("nan"))
    await runtime.register_model(record("nan", str(path)))
    for _ in range(2):
        with pytest.raises(ModelFileError, match="NaN"):
            await runtime.process(Request(prompt="x", model="nan"))


async def test_a_file_that_shrinks_fails_and_is_read_again(
    runtime: Runtime, tmp_path: Path, tiny: Path
) -> None:
    path = tmp_path / "shrinks.gguf"
    shutil.copyfile(tiny, path)
    await runtime.register_model(record("shrinks", str(path)))
    await runtime.load_model("shrinks")
    os.truncate(path, 5000)
    request = Request(prompt="hello", model="shrinks", max_tokens=4)
    with pytest.raises(ModelFileError):
        await runtime.process(request)
    path.unlink()
    shutil.copyfile(tiny, path)
    assert len((await runtime.process(request)).token_ids) > 0


async def test_tokens_outside_the_vocabulary_are_refused(runtime: Runtime) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await runtime.process(Request(prompt="x", logit_bias={100_000: 1.0}))
    assert caught.value.field == "logit_bias"
    with pytest.raises(InvalidRequestError) as caught:
        await runtime.detokenize(None, [100_000])
    assert caught.value.field == "token_ids"


async def test_tokens_and_text(runtime: Runtime) -> None:
    ids = await runtime.tokenize(None, "hello ☃", add_special=True, parse_special=False)
    assert await runtime.detokenize(None, ids) == "hello ☃"


async def test_leaving_frees_the_slot_and_the_blocks(runtime: Runtime) -> None:
    stream = runtime.process_stream(LONG)
    await anext(stream)
    assert stats(runtime).running == 1
    await stream.aclose()
    await until(lambda: stats(runtime).running == 0)
    assert stats(runtime).blocks_held == 0
    assert not provider(runtime)._inboxes


async def test_a_reader_that_stops_pauses_its_own_request_only(runtime: Runtime) -> None:
    slow = runtime.process_stream(LONG)
    await anext(slow)
    for seed in range(3):
        answer = await runtime.process(
            Request(prompt="hi", max_tokens=60, seed=seed, ignore_eos=True)
        )
        assert len(answer.token_ids) == 60
    events = await anext(slow)
    assert isinstance(events, Chunk)
    assert len(events.token_ids) <= 16
    rest = await collect(slow)
    assert isinstance(rest[-1], Complete)
    assert rest[-1].finish_reason is FinishReason.LENGTH


async def test_the_deadline_ends_generation(runtime: Runtime) -> None:
    await runtime.load_model("tiny")
    with pytest.raises(TimeLimitError):
        await runtime.process(LONG, CallContext(deadline=time.monotonic() + 0.005))
    await until(lambda: stats(runtime).running == 0)
    assert stats(runtime).blocks_held == 0


async def test_the_next_turn_finds_its_conversation_in_the_cache(runtime: Runtime) -> None:
    first = Request(prompt="hello " * 20, max_tokens=8, seed=3, ignore_eos=True)
    outgoing: asyncio.Queue[SessionMessage] = asyncio.Queue()

    async def messages() -> AsyncIterator[SessionMessage]:
        while True:
            yield await outgoing.get()

    stream = runtime.converse(messages())
    outgoing.put_nowait(Start("a", first))
    while not isinstance((await anext(stream)).event, Complete):
        pass
    assert stats(runtime).blocks_held > 0
    outgoing.put_nowait(Append("a", [Message(Role.USER, "more")]))
    while not isinstance(event := (await anext(stream)).event, Complete):
        pass
    assert event.metrics.cached_tokens >= 16
    await stream.aclose()
    await until(lambda: stats(runtime).blocks_held == 0)
    assert not provider(runtime)._held


async def test_many_at_once_are_the_same_as_one_by_one(runtime: Runtime) -> None:
    requests = [
        Request(prompt=f"hello {n}", max_tokens=10, seed=n, temperature=1.0) for n in range(24)
    ]
    together = await runtime.process_batch(requests)
    for request, answer in zip(requests, together, strict=True):
        alone = await runtime.process(request)
        assert not isinstance(answer, Exception)
        assert answer.token_ids == alone.token_ids
        assert answer.response == alone.response


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model at all" * 100, None])
async def test_files_that_cannot_be_run(
    runtime: Runtime, tmp_path: Path, tiny: Path, content: bytes | None
) -> None:
    path = tmp_path / "bad.gguf"
    if content is None:
        shutil.copyfile(tiny, path)
        os.truncate(path, 5000)
    else:
        path.write_bytes(content)
    await runtime.register_model(record("bad", str(path)))
    for _ in range(2):
        with pytest.raises(ModelFileError):
            await runtime.process(Request(prompt="x", model="bad"))
    assert not (await runtime.get_model("bad")).loaded
    await runtime.process(Request(prompt="x", model="tiny", max_tokens=1))


async def test_a_missing_file(runtime: Runtime) -> None:
    await runtime.register_model(record("gone", "gone.gguf"))
    with pytest.raises(ModelFileError, match="No such file"):
        await runtime.load_model("gone")


async def test_a_vocabulary_that_makes_no_sense(runtime: Runtime, tmp_path: Path) -> None:
    path = tiny_model.write(tmp_path / "x.gguf", pre="unheard-of")
    await runtime.register_model(record("x", str(path)))
    with pytest.raises(ModelFileError, match="vocabulary"):
        await runtime.load_model("x")


async def test_progress_never_falls_and_ends_at_one(runtime: Runtime) -> None:
    seen: list[LoadProgress] = []
    view = await runtime.load_model("tiny", seen.append)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert view.details.architecture == "llama"
    assert view.details.vocabulary_size == 266
    assert view.details.parameters > 0
    assert view.details.file_bytes > 0


async def test_a_cancelled_load_leaves_nothing(runtime: Runtime) -> None:
    load = asyncio.ensure_future(runtime.load_model("tiny", lambda _: load.cancel()))
    with pytest.raises(asyncio.CancelledError):
        await load
    assert not (await runtime.get_model("tiny")).loaded
    assert (await runtime.load_model("tiny")).loaded


async def test_unloading_waits_and_the_next_use_loads_again(runtime: Runtime) -> None:
    stream = runtime.process_stream(LONG)
    await anext(stream)
    unload = asyncio.ensure_future(runtime.unload_model("tiny"))
    rest = await collect(stream)
    assert isinstance(rest[-1], Complete)
    await unload
    assert not (await runtime.get_model("tiny")).loaded
    await runtime.process(Request(prompt="x", max_tokens=1))


async def test_closing_fails_what_runs(runtime: Runtime) -> None:
    stream = runtime.process_stream(LONG)
    await anext(stream)
    await runtime.close()
    with pytest.raises(UnavailableError):
        await collect(stream)


class DeadEngine:
    """An engine whose events cannot be read any more."""

    def __init__(self, engine: _core.Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def drain(self) -> list[_core.Event]:
        error = _core.CoreError("the engine is gone")
        error.code, error.reason, error.message = "INTERNAL", "GONE", "the engine is gone"
        raise error


async def test_a_dead_engine_fails_its_requests(runtime: Runtime) -> None:
    stream = runtime.process_stream(LONG)
    await anext(stream)
    loaded = provider(runtime)
    loaded._engine = DeadEngine(loaded._engine)  # type: ignore[assignment]
    with pytest.raises(EngineError, match="the engine is gone"):
        await collect(stream)
    assert not loaded.usable
    await runtime.process(Request(prompt="x", max_tokens=1))
