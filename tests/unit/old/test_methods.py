"""The guide's table "Method Naming Changes": each old name works, and tells its new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

import pytest

from llm_runner_router import Complete, InvalidRequestError, LLMRouter, ModelConfig, RouterError
from llm_runner_router.runtime import Runtime
from unit.echoes import EchoLoader, collect

Call = Callable[[LLMRouter], Awaitable[Any]]


@pytest.fixture
def router(monkeypatch: pytest.MonkeyPatch) -> LLMRouter:
    loader = EchoLoader()
    monkeypatch.setattr("llm_runner_router.router.Runtime", lambda loaded: Runtime(loaded, loader))
    return LLMRouter()


def forget(_: object) -> None:
    """What is given is not kept."""


async def texts(events: Any) -> list[str]:
    return [getattr(event, "text", "") for event in await collect(events)]


TABLE: list[tuple[str, str, Call, Call]] = [
    (
        "get_models",
        "list_models",
        lambda router: router.get_models(),
        lambda router: router.list_models(),
    ),
    (
        "generate_stream",
        "process_stream",
        lambda router: texts(router.generate_stream("a b")),
        lambda router: texts(router.process_stream("a b")),
    ),
    (
        "set_config",
        "update_config",
        lambda router: router.set_config({"performance": {"timeout": 5000}}),
        lambda router: router.update_config({"performance": {"timeout": 5000}}),
    ),
    ("health", "check_health", lambda r: r.health(), lambda r: r.check_health()),
]


@pytest.mark.parametrize(("old", "new", "call", "same"), TABLE, ids=[row[0] for row in TABLE])
async def test_an_old_name_does_what_its_new_name_does(
    router: LLMRouter, old: str, new: str, call: Call, same: Call
) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        with pytest.warns(DeprecationWarning, match=f"^{old} is deprecated: use {new}$") as caught:
            found = await call(router)
        assert [warning.filename for warning in caught] == [__file__]
        assert found == await same(router)


async def test_generate(router: LLMRouter) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
            answer = await router.generate({"input": "Hello world", "max_tokens": 50})
        assert answer.response == "Hello world"
        assert answer.model_used == "m"
        assert [str(warning.message) for warning in caught] == [
            "generate is deprecated: use process",
            "input is deprecated: use prompt",
        ]
        assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize(
    ("old", "new"), [("text", "response"), ("model", "model_used"), ("usage", "metrics")]
)
async def test_parts_of_an_answer(router: LLMRouter, old: str, new: str) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        answer = await router.process("Hello world")
    with pytest.warns(DeprecationWarning, match=f"^{old} is deprecated: use {new}$") as caught:
        assert getattr(answer, old) == getattr(answer, new)
    assert [warning.filename for warning in caught] == [__file__]
    assert old not in asdict(answer)


async def test_generate_batch(router: LLMRouter) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        with pytest.warns(DeprecationWarning, match="generate_batch is deprecated: use process_"):
            answers = await router.generate_batch(["a", {"prompt": "b", "model": "no"}])
    assert answers[0].response == "a"  # type: ignore[union-attr]
    assert isinstance(answers[1], RouterError)


async def test_status(router: LLMRouter) -> None:
    async with router:
        with pytest.warns(DeprecationWarning, match="status is deprecated: use get_status"):
            assert (await router.status()).healthy


async def test_models_come_and_go_by_their_old_names(router: LLMRouter) -> None:
    async with router:
        with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
            view = await router.add_model(
                {"name": "my-model", "path": "./models/model.gguf", "type": "gguf"}
            )
        assert view.record.id == "my-model"
        assert view.record.source.endswith("/models/model.gguf")
        assert [str(warning.message) for warning in caught] == [
            "add_model is deprecated: use register_model",
            "path is deprecated: use source",
            "type is deprecated: use format",
        ]
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            assert (await router.add_model("other", "x.gguf")).record.id == "other"
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            await router.add_model(name="third", path="x.gguf", type="gguf")
        with pytest.warns(DeprecationWarning, match="remove_model is deprecated: use unregister_"):
            await router.remove_model("my-model")
        assert [view.record.id for view in await router.list_models()] == ["other", "third"]
        with (
            pytest.warns(DeprecationWarning, match="is deprecated"),
            pytest.raises(InvalidRequestError, match=r"model\.id"),
        ):
            await router.add_model({"path": "x.gguf"})


async def test_an_id_and_old_names_beside_it(router: LLMRouter) -> None:
    async with router:
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            view = await router.add_model("m", path="/x.gguf", type="gguf", context_length=64)
        assert (view.record.id, view.record.source) == ("m", "/x.gguf")
        assert view.record.config == ModelConfig(context_length=64)
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            view = await router.add_model({"name": "n", "path": "/x.gguf"}, displayName="N")
        assert (view.record.id, view.record.name) == ("n", "N")
        with pytest.warns(DeprecationWarning, match="is deprecated"):
            assert await router.add_model({"name": "n", "path": "/x.gguf"}) == view


@pytest.mark.parametrize("model", [5, ["m"], {5: "m"}, {"path": "m.gguf"}])
async def test_what_is_no_model_is_refused(router: LLMRouter, model: Any) -> None:
    async with router:
        with (
            pytest.warns(DeprecationWarning, match="is deprecated"),
            pytest.raises(InvalidRequestError, match=r"^model"),
        ):
            await router.add_model(model)


async def test_what_is_no_format_is_refused(router: LLMRouter) -> None:
    async with router:
        with (
            pytest.warns(DeprecationWarning, match="is deprecated"),
            pytest.raises(InvalidRequestError, match=r"^format: \['gguf'\]"),
        ):
            await router.add_model({"name": "m", "path": "m.gguf", "type": ["gguf"]})


async def test_a_model_may_be_registered_by_a_mapping(router: LLMRouter) -> None:
    async with router:
        view = await router.register_model({"id": "a", "format": "gguf", "source": "/a.gguf"})
        assert view.record.source == "/a.gguf"


async def test_settings_by_their_old_names(router: LLMRouter) -> None:
    async with router:
        with pytest.warns(DeprecationWarning, match="maxConcurrentRequests is deprecated"):
            changed = await router.update_config({"maxConcurrentRequests": 3})
        assert changed["performance"]["max_concurrent"] == 3


async def test_streaming_is_a_way_to_ask_for_the_events(router: LLMRouter) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        events = await collect(await router.process("a b", streaming=True))
        assert isinstance(events[-1], Complete)
        with pytest.warns(DeprecationWarning, match="stream is deprecated: use streaming"):
            answer = await router.process({"prompt": "a b", "stream": True})
        assert await collect(answer) != []  # type: ignore[arg-type]
        assert (await router.process("a b", streaming=False)).response == "a b"
        with pytest.raises(InvalidRequestError, match="streaming"):
            await router.process_batch([{"prompt": "x", "streaming": True}])
        with pytest.raises(InvalidRequestError, match="streaming"):
            await collect(router.process_stream({"prompt": "x", "streaming": False}))


async def test_a_load_that_nobody_awaits_leaves_it_to_the_first_request(
    router: LLMRouter,
) -> None:
    async with router:
        await router.register_model("m", "m.gguf")
        with pytest.warns(RuntimeWarning, match="never awaited"):
            forget(router.load_model("m"))
        assert (await router.get_status()).loaded_models == []
        assert (await router.process("x", model="m")).response == "x"
        assert list((await router.get_status()).loaded_models) == ["m"]
