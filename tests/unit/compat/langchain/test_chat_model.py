"""LangChain's own unit suite, and what it does not ask."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_tests.unit_tests import ChatModelUnitTests
from pydantic import BaseModel

from llm_runner_router.compat.langchain import ChatLLMRouter, RouterThread
from llm_runner_router.errors import (
    ModelNotFoundError,
    ProviderFailedError,
    TimeLimitError,
    UnsupportedError,
)

SERIALIZED = {
    "lc": 1,
    "type": "constructor",
    "id": ["llm_runner_router", "compat", "langchain", "ChatLLMRouter"],
    "kwargs": {
        "target": "127.0.0.1:1",
        "caller": "anonymous",
        "model": "m",
        "temperature": 0.0,
        "max_tokens": 100,
        "stop": [],
        "timeout": 60.0,
        "max_retries": 2,
    },
    "name": "ChatLLMRouter",
}


@pytest.fixture
def benchmark() -> Callable[[Callable[[], object]], object]:
    """Once, and not timed."""
    return lambda work: work()


@pytest.fixture
def snapshot() -> Callable[[str], object]:
    """What the suite compares with, written by hand."""
    return lambda name: {"serialized": SERIALIZED}[name]


# The suite calls the model's ``dict``, which LangChain itself calls deprecated.
@pytest.mark.filterwarnings("ignore:The method `BaseChatModel.dict` was deprecated")
@pytest.mark.filterwarnings("ignore:The function `load.* is in beta")
class TestStandard(ChatModelUnitTests):
    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLLMRouter

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"target": "127.0.0.1:1", "model": "m"}

    @property
    def init_from_env_params(self) -> tuple[dict[str, str], dict[str, Any], dict[str, Any]]:
        configured = {"LOG_LEVEL": "warn"}
        return configured, {"model": "m"}, {"model": "m", "target": None}

    @pytest.mark.xfail(
        reason="LangChain loads classes of its own list alone, unless they are named one by one",
        raises=ValueError,
        strict=True,
    )
    def test_serdes(self, model: BaseChatModel, snapshot: Any) -> None:
        super().test_serdes(model, snapshot)


class Listener(BaseCallbackHandler):
    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.ends: list[LLMResult] = []
        self.failures: list[BaseException] = []

    def on_llm_new_token(self, token: Any, **_rest: Any) -> None:
        self.tokens.append(token)

    def on_llm_end(self, response: LLMResult, **_rest: Any) -> None:
        self.ends.append(response)

    def on_llm_error(self, error: BaseException, **_rest: Any) -> None:
        self.failures.append(error)


@pytest.fixture
def chat(echoes: RouterThread) -> ChatLLMRouter:
    return ChatLLMRouter(router=echoes, model="m")


def test_callbacks_hear_each_piece_once(chat: ChatLLMRouter) -> None:
    listener = Listener()
    pieces = list(chat.stream("one two", config={"callbacks": [listener]}))
    assert listener.tokens == [piece.content for piece in pieces] == ["", "one", " two", ""]
    assert listener.ends[0].generations[0][0].text == "one two"


def test_every_loop_may_ask_the_same_model(chat: ChatLLMRouter) -> None:
    async def ask(text: str) -> str:
        pieces = [piece async for piece in chat.astream(text)]
        return "".join(str(piece.content) for piece in pieces) + str(
            (await chat.ainvoke(text)).text
        )

    assert asyncio.run(ask("a b")) == "a ba b"
    assert asyncio.run(ask("c")) == "cc"
    assert chat.invoke("d").text == "d"


def test_a_chain_of_a_prompt_and_a_batch(chat: ChatLLMRouter) -> None:
    chain = ChatPromptTemplate.from_messages([("system", "be"), ("human", "say {word}")]) | chat
    answers = chain.batch([{"word": word} for word in ("a", "b", "c")])
    assert [answer.text for answer in answers] == ["say a", "say b", "say c"]


@pytest.mark.parametrize("stream", [False, True])
async def test_errors_are_those_of_the_router(chat: ChatLLMRouter, stream: bool) -> None:
    async def ask(model: str) -> None:
        if stream:
            _ = [piece async for piece in chat.astream("one two", model=model, max_retries=0)]
        else:
            await chat.ainvoke("one two", model=model, max_retries=0)

    with pytest.raises(ModelNotFoundError):
        await ask("nobody")
    with pytest.raises(ProviderFailedError) as caught:
        await ask("broken")
    assert caught.value.reason == "PROVIDER_FAILED"
    assert [attempt.model for attempt in caught.value.attempts] == ["broken"]


def test_a_stream_that_breaks_off_tells_its_callbacks(chat: ChatLLMRouter) -> None:
    listener = Listener()
    pieces: list[str] = []
    stream = chat.stream("one two", model="breaks-off", config={"callbacks": [listener]})
    with pytest.raises(ProviderFailedError):
        pieces.extend(piece.text for piece in stream)
    assert pieces == ["", "one"]
    assert [type(failure) for failure in listener.failures] == [ProviderFailedError]


def test_fallbacks_answer_and_are_told(chat: ChatLLMRouter) -> None:
    answer = chat.invoke("hi", model="fails", fallbacks=["m"], routing={"maxAttempts": 2})
    assert answer.response_metadata["model_name"] == "m"
    tried = [(one["model"], one["outcome"]) for one in answer.response_metadata["attempts"]]
    assert tried == [("fails", "PROVIDER_FAILED"), ("m", "OK")]
    assert answer.response_metadata["decision"]["model"] == "fails"
    assert answer.response_metadata["cost_usd"] > 0


def test_the_time_of_a_call_is_limited(echoes: RouterThread) -> None:
    slow = ChatLLMRouter(router=echoes, model="never", timeout=0.05)
    with pytest.raises(TimeLimitError):
        slow.invoke("hi")
    with pytest.raises(TimeLimitError):
        list(slow.stream("hi"))
    with pytest.raises(TimeLimitError):
        ChatLLMRouter(router=echoes, model="never").invoke("hi", timeout=0.05)


def test_feedback_finds_the_answer(chat: ChatLLMRouter, echoes: RouterThread) -> None:
    for answer in (chat.invoke("hi"), sum_of(list(chat.stream("hi")))):
        name = answer.response_metadata["request_id"]
        echoes.run(lambda router, name=name: router.feedback(name, 1.0))


def test_images_are_refused_before_anything_is_sent(chat: ChatLLMRouter) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    with pytest.raises(UnsupportedError, match=r"messages\[0\].content\[1\].type: 'image_url'"):
        chat.invoke([("human", [{"type": "text", "text": "what is it?"}, picture])])
    profile = chat.profile
    assert profile is not None
    assert (profile["text_inputs"], profile["image_inputs"]) == (True, False)


def test_standard_content_blocks(echoes: RouterThread) -> None:
    chat = ChatLLMRouter(router=echoes, model="m", output_version="v1")
    assert chat.invoke("one two").content == [{"type": "text", "text": "one two"}]
    whole = sum_of(list(chat.stream("one two")))
    assert [(block["type"], block["text"]) for block in whole.content_blocks] == [
        ("text", "one two")
    ]


def test_structured_output_of_a_call_names_its_tool(chat: ChatLLMRouter) -> None:
    class Joke(BaseModel):
        """A joke."""

        setup: str

    bound = chat.with_structured_output(Joke, method="function_calling", seed=4).first
    assert bound.kwargs["tool_choice"] == {"type": "function", "function": {"name": "Joke"}}
    assert bound.kwargs["seed"] == 4


def sum_of(pieces: list[AIMessageChunk]) -> AIMessageChunk:
    return sum(pieces[1:], start=pieces[0])
