"""The section "API Changes": each old name still works, warns and does what the new one does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router import Chunk, Complete, LLMRouter, Response, Started
from llm_runner_router.compat.v1_0 import old_response
from llm_runner_router.errors import ModelNotFoundError

HELLO = {"prompt": "hello world", "max_tokens": 4}


def warns(old: str, new: str) -> Any:
    return pytest.warns(DeprecationWarning, match=rf"\b{old} is deprecated: use {new}\b")


async def text_of(events: AsyncIterator[Any]) -> str:
    return "".join([event.text async for event in events if isinstance(event, Chunk)])


async def test_add_model_is_register_model(router: LLMRouter, model_file: Path) -> None:
    with warns("add_model", "register_model"):
        await router.add_model("old", model_file)
    await router.register_model("new", model_file)
    old, new = [(await router.get_model(name)).record for name in ("old", "new")]
    assert (old.source, old.format, old.config) == (new.source, new.format, new.config)


async def test_remove_model_is_unregister_model(my_router: LLMRouter) -> None:
    with warns("remove_model", "unregister_model"):
        await my_router.remove_model("my-model")
    with pytest.raises(ModelNotFoundError):
        await my_router.get_model("my-model")


async def test_get_models_is_list_models(my_router: LLMRouter) -> None:
    with warns("get_models", "list_models"):
        old = await my_router.get_models()
    assert [view.record.id for view in old] == ["my-model"]
    assert old == await my_router.list_models()


async def test_generate_is_process(my_router: LLMRouter) -> None:
    with warns("generate", "process"):
        old = await my_router.generate(HELLO)
    assert old.metrics.completion_tokens == 4
    assert old.response == (await my_router.process(HELLO)).response


async def test_generate_stream_is_process_stream(my_router: LLMRouter) -> None:
    with warns("generate_stream", "process_stream"):
        events = my_router.generate_stream(HELLO)
    old = await text_of(events)
    assert old
    assert old == await text_of(my_router.process_stream(HELLO))


async def test_generate_batch_is_process_batch(my_router: LLMRouter) -> None:
    with warns("generate_batch", "process_batch"):
        old = await my_router.generate_batch([HELLO, {**HELLO, "model": "absent"}])
    new = await my_router.process_batch([HELLO, {**HELLO, "model": "absent"}])
    for answer, absent in (old, new):
        assert isinstance(answer, Response)
        assert isinstance(absent, ModelNotFoundError)
    assert [each.response for each in (old[0], new[0])] == [old[0].response] * 2


async def test_set_config_is_update_config(router: LLMRouter) -> None:
    with warns("set_config", "update_config"):
        await router.set_config({"performance": {"timeout": 5000}})
    assert (await router.get_config())["performance"]["timeout"] == 5000  # get_config: unchanged
    await router.update_config({"performance": {"timeout": 6000}})
    assert (await router.get_config())["performance"]["timeout"] == 6000


async def test_status_is_get_status(router: LLMRouter) -> None:
    with warns("status", "get_status"):
        old = await router.status()
    assert old.healthy
    assert (await router.get_status()).healthy


async def test_health_is_check_health(router: LLMRouter) -> None:
    with warns("health", "check_health"):
        old = await router.health()
    assert old.ready
    assert old == await router.check_health()


PARAMETERS = [
    ("input", "prompt", "hello world"),
    ("max_tokens", "maxTokens", 3),
    ("model_id", "model", "my-model"),
    ("stream", "streaming", False),
    ("temperature", "temperature", 0.7),
    ("top_p", "topP", 0.9),
]
"""The guide's table, row by row; what is snake_case alone is Python's own spelling."""

RENAMED = {"input", "model_id", "stream"}


@pytest.mark.parametrize(("old", "new", "value"), PARAMETERS)
async def test_parameters(my_router: LLMRouter, old: str, new: str, value: object) -> None:
    rest = {"prompt": "hello world", "maxTokens": 2, "model": "my-model"}
    rest.pop(new, None)
    said = (await my_router.process({**rest, new: value})).response
    if old not in RENAMED:
        assert (await my_router.process({**rest, old: value})).response == said
        return
    with warns(old, "prompt|model|streaming"):
        assert (await my_router.process({**rest, old: value})).response == said


async def test_all_old_parameters_together(my_router: LLMRouter) -> None:
    old = {name: value for name, _, value in PARAMETERS}
    new = {name: value for _, name, value in PARAMETERS}
    with pytest.warns(DeprecationWarning, match="is deprecated") as told:
        before = await my_router.process(old)
    assert {str(each.message).split(" ", 1)[0] for each in told} == RENAMED
    after = await my_router.process(new)
    assert before.response == after.response
    assert after.metrics.completion_tokens == 3
    assert await my_router.process(**new) is not None


async def test_stream_true_gives_events(my_router: LLMRouter) -> None:
    with warns("stream", "streaming"):
        events = await my_router.process({**HELLO, "stream": True})
    told = [event async for event in events]
    assert isinstance(told[0], Started)
    assert isinstance(told[-1], Complete)


async def test_the_new_response(my_router: LLMRouter) -> None:
    answer = await my_router.process(HELLO)
    assert answer.response
    assert answer.model_used == "my-model"
    metrics = answer.metrics
    assert metrics.prompt_tokens > 0
    assert metrics.completion_tokens == 4
    assert metrics.total_tokens == metrics.prompt_tokens + 4
    assert metrics.duration_ms > 0  # milliseconds
    assert metrics.cost_usd == 0  # US dollars: it runs here
    assert not {"text", "model", "usage"} & {field.name for field in fields(answer)}


async def test_the_old_response_on_demand(my_router: LLMRouter) -> None:
    answer = await my_router.process(HELLO)
    metrics = answer.metrics
    assert old_response(answer) == {
        "text": answer.response,
        "model": "my-model",
        "usage": {
            "prompt_tokens": metrics.prompt_tokens,
            "completion_tokens": 4,
            "total_tokens": metrics.prompt_tokens + 4,
        },
    }
    assert asdict(answer)["response"] == answer.response


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda router: router.generate("x", model="absent"), "generate"),
        (lambda router: router.remove_model("absent"), "remove_model"),
    ],
)
async def test_old_names_fail_as_the_new_ones(
    router: LLMRouter, old: Callable[[LLMRouter], Any], new: str
) -> None:
    with warns(new, "process|unregister_model"), pytest.raises(ModelNotFoundError, match="absent"):
        await old(router)
