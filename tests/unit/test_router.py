from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import llm_runner_router
from llm_runner_router import (
    Complete,
    InvalidConfigError,
    InvalidRequestError,
    LLMRouter,
    Message,
    ModelConfig,
    ModelRecord,
    Request,
    Response,
    Role,
    TimeLimitError,
    UnavailableError,
)
from llm_runner_router.providers.echo import EchoBehaviour
from llm_runner_router.runtime import Runtime
from unit.echoes import EchoLoader, collect, model


def echo_router(monkeypatch: pytest.MonkeyPatch, loader: EchoLoader | None = None) -> LLMRouter:
    used = loader or EchoLoader()
    monkeypatch.setattr("llm_runner_router.router.Runtime", lambda loaded: Runtime(loaded, used))
    return LLMRouter()


async def test_the_ways_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = EchoLoader()
    async with echo_router(monkeypatch, loader) as router:
        await router.register_model("m", "m.gguf")
        for answer in (
            await router.process("a b", max_tokens=2),
            await router.process(Request(prompt="a b"), max_tokens=2),
            await router.process({"prompt": "a b"}, max_tokens=2),
            await router.process(messages=[{"role": "user", "content": "a b"}], max_tokens=2),
            await router.process(messages=[Message(Role.USER, "a b")], max_tokens=2),
        ):
            assert answer.response == "a b"
        assert {call.request.max_tokens for call in loader.providers["m"].calls} == {2}


async def test_streams_and_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    async with echo_router(monkeypatch) as router:
        await router.register_model("m", "m.gguf")
        events = await collect(router.process_stream("a b"))
        assert isinstance(events[-1], Complete)
        results = await router.process_batch(["a", Request(prompt="b"), {"prompt": "c"}])
        assert [r.response for r in results if isinstance(r, Response)] == ["a", "b", "c"]


async def test_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async with echo_router(monkeypatch) as router:
        await router.register_model("m", "m.gguf")
        async with router.session() as session:
            name = session.start("a b")
            session.start("other", request_id="mine")
            ends = []
            async for event in session:
                if isinstance(event.event, Complete):
                    ends.append(event.request_id)
                    if event.request_id == name and ends.count(name) == 1:
                        session.append(name, {"role": "user", "content": "more"})
                        session.end()
        assert sorted(ends) == sorted([name, name, "mine"])


async def test_models(monkeypatch: pytest.MonkeyPatch) -> None:
    async with echo_router(monkeypatch) as router:
        view = await router.register_model(
            "m", Path("x/m.gguf"), config={"contextLength": 99, "top_k": 3}, labels={"a": "b"}
        )
        assert view.record.config == ModelConfig(context_length=99, top_k=3)
        await router.register_model(model("n"))
        assert [v.record.id for v in await router.list_models()] == ["m", "n"]
        assert len((await router.list_model_page(page_size=1)).models) == 1
        assert (await router.load_model("n")).loaded
        await router.unload_model("n")
        wanted = ModelRecord("n", "new", view.record.format, "")
        assert (await router.update_model(wanted, ["name"])).record.name == "new"
        assert (await router.get_model("n")).record.name == "new"
        await router.unregister_model("n")
        assert list(await router.tokenize("ab")) == [97, 98]
        assert await router.detokenize([97]) == "a"
        assert (await router.get_status()).registered_models == 1
        assert (await router.check_health()).ready
        await router.update_config({"performance": {"timeout": 5000}})
        assert (await router.get_config())["performance"]["timeout"] == 5000


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"max_token": 3}, "max_tokens"),
        ({"messages": "hello"}, "a list of messages"),
        ({"messages": 5}, "a list of messages"),
        ({"messages": [{"role": "user"}]}, r"messages\[0\]"),
        ({"messages": [{"role": "robot", "content": "x"}]}, r"messages\[0\]\.role"),
        ({"timeout": 0}, "above 0"),
    ],
)
async def test_mistakes_are_named(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], match: str
) -> None:
    async with echo_router(monkeypatch) as router:
        with pytest.raises(InvalidRequestError, match=match):
            await router.process("x", **values)


IDS: Mapping[str, str] = {
    **dict.fromkeys(("get_model", "load_model", "unload_model", "unregister_model"), "model"),
    **dict.fromkeys(("get_alias", "delete_alias"), "alias"),
    **dict.fromkeys(("get_template", "delete_template"), "template"),
}


@pytest.mark.parametrize("method", IDS)
@pytest.mark.parametrize("wrong", [{"name": "m"}, ["m"], 5, None, ""])
async def test_what_is_no_id_is_refused(
    monkeypatch: pytest.MonkeyPatch, method: str, wrong: object
) -> None:
    router = echo_router(monkeypatch)
    with pytest.raises(InvalidRequestError) as caught:
        await getattr(router, method)(wrong)
    assert caught.value.field == IDS[method]


@pytest.mark.parametrize(
    ("values", "field"),
    [({"source": "x.gguf"}, "source"), ({"name": "other"}, "name")],
)
async def test_a_record_has_nothing_beside_it(
    monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], field: str
) -> None:
    async with echo_router(monkeypatch) as router:
        with pytest.raises(InvalidRequestError) as caught:
            await router.register_model(model("m"), **values)
        assert caught.value.field == field
        assert await router.list_models() == []


async def test_a_field_of_a_model_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with echo_router(monkeypatch) as router:
        with pytest.raises(InvalidRequestError, match=r"model\.labelz: .* such as labels"):
            await router.register_model("m", "m.gguf", labelz={})  # type: ignore[call-arg]


async def test_none_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = EchoLoader()
    async with echo_router(monkeypatch, loader) as router:
        await router.register_model("m", "m.gguf")
        nothing: dict[str, Any] = dict.fromkeys(("messages", "stop", "logit_bias", "metadata"))
        await router.process("x", **nothing)
    assert loader.providers["m"].calls[0].request == Request(prompt="x")


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda router: router.process_batch("hello"), "requests"),
        (lambda router: router.detokenize(5), "token_ids"),
        (lambda router: router.register_model("m", 5), "source"),
        (lambda router: router.register_model("m", "x", config=5), "config"),
        (lambda router: router.register_model("m", "x", config={"stop": 5}), "config.stop"),
        (lambda router: router.register_model("m", "x", labels=5), "labels"),
        (lambda router: router.register_model(model(capabilities=5)), "capabilities"),
    ],
)
async def test_values_of_a_wrong_kind_are_named(
    monkeypatch: pytest.MonkeyPatch, call: Callable[[LLMRouter], Awaitable[object]], field: str
) -> None:
    async with echo_router(monkeypatch) as router:
        with pytest.raises(InvalidRequestError) as caught:
            await call(router)
    assert caught.value.field == field


async def test_unknown_model_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with echo_router(monkeypatch) as router:
        with pytest.raises(InvalidRequestError, match="context_length"):
            await router.register_model("m", "x", config={"contextlength": 3})
        with pytest.raises(InvalidRequestError, match="source"):
            await router.register_model("m")


async def test_timeout_bounds_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    loader = EchoLoader(EchoBehaviour(first_latency=60))
    async with echo_router(monkeypatch, loader) as router:
        await router.register_model("m", "x")
        with pytest.raises(TimeLimitError):
            await router.process("x", timeout=0.05)


async def test_first_use_initializes_and_close_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    router = echo_router(monkeypatch)
    assert await router.list_models() == []
    await router.initialize()
    await router.close()
    await router.close()
    with pytest.raises(UnavailableError):
        await router.process("x")


def test_wrong_configurations_stop_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfigError, match="maxConcurrent"):
        LLMRouter({"performance": {"maxConcurrent": 0}})
    with pytest.raises(InvalidConfigError):
        LLMRouter(config_file=tmp_path / "missing.json")
    with pytest.raises(InvalidConfigError, match="target"):
        LLMRouter({}, target="localhost:1")


async def test_a_failed_start_can_be_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "r.db"
    path.mkdir()
    router = LLMRouter({"registry": {"path": str(path)}})
    with pytest.raises(InvalidConfigError):
        await router.initialize()
    path.rmdir()
    await router.initialize()
    await router.close()


def test_public_names_exist() -> None:
    for name in llm_runner_router.__all__:
        assert getattr(llm_runner_router, name) is not None
    assert set(llm_runner_router.__all__) <= set(dir(llm_runner_router))
    with pytest.raises(AttributeError):
        _ = llm_runner_router.nothing  # type: ignore[attr-defined]
