from __future__ import annotations

import asyncio
import copy
import pickle
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.load import dumpd, dumps, loads
from pydantic import ValidationError

from llm_runner_router.compat.langchain import ChatLLMRouter, LLMRouterLLM, RouterThread
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import (
    InvalidConfigError,
    InvalidRequestError,
    ModelNotFoundError,
    UnavailableError,
    UnsupportedError,
)
from llm_runner_router.preferences import CacheMode, Priority, Routing, Strategy

VALUES: dict[str, Any] = {
    "model": "m",
    "temperature": 0.5,
    "top_p": 0.9,
    "top_k": 3,
    "min_p": 0.1,
    "max_tokens": 7,
    "seed": 11,
    "stop": ["END"],
    "repeat_penalty": 1.1,
    "frequency_penalty": 0.2,
    "presence_penalty": 0.3,
    "logprobs": 2,
    "logit_bias": {5: 1.0},
    "provider_options": {"user": "u"},
}


def request(made: ChatLLMRouter, stop: list[str] | None = None, **values: Any) -> Any:
    return made._request({"prompt": "x"}, stop, values)


@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_a_misspelt_field_is_refused(kind: type[Any]) -> None:
    with pytest.raises(InvalidConfigError, match=r"temprature: '…' .* such as temperature"):
        kind(temprature=1)


@pytest.mark.parametrize("name", ["openai_api_key", "anthropic_api_key", "base_url", "headers"])
@pytest.mark.parametrize("value", ["sk-secret", {"Authorization": "sk-secret"}])
def test_a_key_for_another_class_is_not_shown(name: str, value: object) -> None:
    with pytest.raises(InvalidConfigError, match=name) as caught:
        ChatLLMRouter(**{name: value})
    assert "sk-secret" not in f"{caught.value} {caught.value.value}"
    with pytest.raises(InvalidRequestError, match=name) as of_call:
        request(ChatLLMRouter(), **{name: value})
    assert "sk-secret" not in f"{of_call.value} {of_call.value.value}"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"temperature": 3}, "temperature: 3.0"),
        ({"strategy": "best"}, "strategy: 'best'"),
        ({"routing": {"retries": 1}}, "routing.retries"),
        ({"stop": [""]}, r"stop\[0\]"),
    ],
)
def test_a_wrong_value_shows_when_the_model_is_made(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        ChatLLMRouter(**values)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_time_limit_that_cannot_be_shows_when_the_model_is_made(timeout: float) -> None:
    with pytest.raises(ValidationError, match=r"timeout"):
        ChatLLMRouter(timeout=timeout)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"max_retries": "many"}, "max_retries: 'many'"),
        ({"max_retries": True}, "max_retries: True"),
        ({"max_retries": 1, "routing": "fast"}, "routing: 'fast'"),
        ({"tools": 3}, "tools: 3"),
        ({"response_format": 3}, "response_format: 3"),
        ({"tool_choice": 3}, "tool_choice: 3"),
    ],
)
def test_a_wrong_value_of_a_call_is_named(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=field):
        request(ChatLLMRouter(), **values)


def test_a_router_is_shared_or_made_not_both() -> None:
    with pytest.raises(InvalidConfigError, match=r"router: 'a router'"):
        ChatLLMRouter(router=RouterThread(), target="127.0.0.1:1")


def test_a_key_is_taken_and_not_kept() -> None:
    model = ChatLLMRouter(target="127.0.0.1:1", api_key="sk-secret")
    assert "sk-secret" not in f"{model!r} {dumps(model)} {model.asdict()} {vars(model)}"


def test_every_default_reaches_the_request() -> None:
    made = request(ChatLLMRouter(**VALUES))
    for name, value in VALUES.items():
        assert getattr(made, name) == value, name


def test_what_a_call_says_counts() -> None:
    model = ChatLLMRouter(**VALUES)
    made = request(model, ["NOW"], temperature=0, model="n", seed=None, stream=True, timeout=3)
    assert (made.stop, made.temperature, made.model, made.seed) == (["NOW"], 0, "n", None)
    assert made.max_tokens == 7
    assert model._timeout({}) is None
    assert model._timeout({"timeout": 3}) == 3
    with pytest.raises(InvalidRequestError, match=r"temprature: '…' .* such as temperature"):
        request(model, temprature=1)


def test_wishes_about_routing_and_cache() -> None:
    model = ChatLLMRouter(
        routing={"firstTokenTimeoutMs": 500},
        strategy="cost-optimized",
        fallbacks=["b", "c"],
        requirements={"localOnly": True},
        priority="high",
        answer_cache="bypass",
        request_metadata={"team": "blue"},
        max_retries=2,
    )
    made = request(model)
    assert made.routing.strategy is Strategy.COST_OPTIMIZED
    assert made.routing.fallbacks == ["b", "c"]
    assert made.routing.requirements.local_only
    assert made.routing.first_token_timeout_ms == 500
    assert made.routing.max_attempts == 3
    assert made.priority is Priority.HIGH
    assert made.cache.mode is CacheMode.BYPASS
    assert made.metadata == {"team": "blue"}
    assert request(model, max_retries=0).routing.max_attempts == 1
    for wishes in ({"maxAttempts": 9}, {"max_attempts": 9}, Routing(max_attempts=9)):
        assert request(model, routing=wishes).routing.max_attempts == 9
    assert request(model, routing=Routing()).routing.max_attempts == 3
    assert request(model, answer_cache="refresh").cache.mode is CacheMode.REFRESH


@pytest.mark.filterwarnings("ignore:The function `load.* is in beta")
@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_a_model_goes_through_langchains_serialization(kind: type[Any]) -> None:
    model = kind(target="127.0.0.1:1", **{**VALUES, "logit_bias": None})
    text = dumps(model)
    assert '"type": "secret"' not in text
    again = loads(text, valid_namespaces=["llm_runner_router"], allowed_objects=[kind])
    assert isinstance(again, kind)
    assert again._identifying_params == model._identifying_params
    assert again.target == "127.0.0.1:1"


@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_langchains_cache_gives_no_answer_of_another_router(
    echoes: RouterThread, kind: type[Any]
) -> None:
    kept = InMemoryCache()
    model = kind(router=echoes, model="m", cache=kept)
    answer = model.invoke("hello")
    with RouterThread() as empty:
        for other in (kind(router=empty, model="m", cache=kept), kind(model="m", cache=kept)):
            with pytest.raises(ModelNotFoundError):
                other.invoke("hello")
    same = kind(router=echoes, model="m", cache=kept)
    # The id of the answer says that it is the one that was kept.
    assert getattr(same.invoke("hello"), "id", answer) == getattr(answer, "id", answer)
    assert len(kept._cache) == 1


@pytest.mark.filterwarnings("ignore:The function `load.* is in beta")
@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_the_address_of_a_shared_router_is_written(kind: type[Any]) -> None:
    with RouterThread(target="127.0.0.1:1") as router:
        model = kind(router=router, model="m")
        text = dumps(model)
        again = loads(text, valid_namespaces=["llm_runner_router"], allowed_objects=[kind])
    assert again.target == "127.0.0.1:1"
    assert again._identifying_params == model._identifying_params


def test_which_router_of_a_process_it_is_is_written_beside_the_fields(echoes: RouterThread) -> None:
    written = dumpd(ChatLLMRouter(router=echoes, model="m"))
    assert written["router"] == echoes.identity
    assert "router" not in written["kwargs"]


def test_close_leaves_a_shared_router_alone(echoes: RouterThread) -> None:
    with ChatLLMRouter(router=echoes, model="m") as shared:
        pass
    assert shared.invoke("hello").content == "hello"


@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_copies_share_the_router(echoes: RouterThread, kind: type[Any]) -> None:
    model = kind(router=echoes, model="m", requirements={"localOnly": False})
    for made in (copy.copy(model), copy.deepcopy(model), model.model_copy(deep=True)):
        assert made._thread is echoes
        assert made._identifying_params == model._identifying_params
        assert made.invoke("hello") == model.invoke("hello") or made.invoke("hello").text == "hello"
    assert copy.deepcopy(model).requirements is not model.requirements


@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_a_pickled_model_gets_a_router_of_its_own(echoes: RouterThread, kind: type[Any]) -> None:
    model = kind(target="127.0.0.1:1", stop=["END"], temperature=0)
    again = pickle.loads(pickle.dumps(model))
    assert (again.target, again._identifying_params) == (model.target, model._identifying_params)
    assert again._thread is not model._thread
    with pytest.raises(UnsupportedError, match="a target or a configuration"):
        pickle.dumps(kind(router=echoes))


@pytest.mark.parametrize("kind", [ChatLLMRouter, LLMRouterLLM])
def test_a_stream_that_is_left_at_the_end_of_its_loop_ends_in_silence(
    echoes: RouterThread, kind: type[Any]
) -> None:
    failures: list[dict[str, Any]] = []

    async def leaves() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: failures.append(context))
        async for _piece in kind(router=echoes, model="stalls").astream("one two"):
            return

    asyncio.run(leaves())
    assert failures == []
    while echoes.run(lambda router: router.get_status()).running_requests:
        pass  # the wait for its end was cancelled with the loop


def test_tokens_are_those_of_the_model(echoes: RouterThread) -> None:
    model = ChatLLMRouter(router=echoes, model="m")
    assert model.get_token_ids("hi") == [ord("h"), ord("i")]
    assert model.get_num_tokens("hello") == 5
    own = ChatLLMRouter(router=echoes, model="m", custom_get_token_ids=lambda text: [len(text)])
    assert own.get_token_ids("hello") == [5]


async def test_close_ends_its_own() -> None:
    async with ChatLLMRouter(model="m") as own:
        assert await own._thread.run_async(lambda router: router.list_models()) == []
    with pytest.raises(UnavailableError, match=r"closed"):
        await own.ainvoke("hello")
    with ChatLLMRouter(model="m") as own:
        pass
    with pytest.raises(UnavailableError, match=r"closed"):
        own.invoke("hello")


@pytest.mark.parametrize("typed", [False, True])
def test_passwords_of_the_configuration_are_not_written(typed: bool) -> None:
    values = {
        "registry": {"url": "postgresql://ann:secret@db.example.com/models"},
        "cache": {"url": "redis://:secret@cache.example.com", "ttl": 5},
    }
    model = ChatLLMRouter(config=Config(**values) if typed else values)
    text = dumps(model)
    assert "secret" not in text
    assert "ann" not in text
    assert '"ttl": 5' in text
    assert "secret" not in str(model._identifying_params)
