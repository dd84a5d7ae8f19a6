"""LangChain's own suite of chat models, over a router in this process and over a service."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Literal

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_tests.integration_tests import ChatModelIntegrationTests
from pydantic import BaseModel

from llm_runner_router.compat.langchain import ChatLLMRouter, RouterThread
from llm_runner_router.errors import UnsupportedError

Details = Literal[
    "audio_input", "audio_output", "reasoning_output", "cache_read_input", "cache_creation_input"
]
TEXT_ONLY = "a router's messages carry text alone"


@pytest.fixture
def benchmark() -> Callable[[Callable[[], object]], object]:
    """Once, and not timed."""
    return lambda work: work()


@pytest.fixture
def vcr() -> SimpleNamespace:
    """A recording without an answer: the server is asked."""
    return SimpleNamespace(responses=[])


class Suite(ChatModelIntegrationTests):
    router: RouterThread

    @property
    def chat_model_class(self) -> type[BaseChatModel]:
        return ChatLLMRouter

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"router": self.router, "model": "agent"}

    @property
    def model_override_value(self) -> str | None:
        return "other-agent"

    @property
    def supports_json_mode(self) -> bool:
        return True

    @property
    def supports_anthropic_inputs(self) -> bool:
        return True

    @property
    def enable_vcr_tests(self) -> bool:
        return True

    @property
    def supported_usage_metadata_details(
        self,
    ) -> dict[Literal["invoke", "stream"], list[Details]]:
        told: list[Details] = ["reasoning_output", "cache_read_input", "cache_creation_input"]
        return {"invoke": told, "stream": told}

    def invoke_with_reasoning_output(self, *, stream: bool = False) -> AIMessage:
        message = self._asked("think", stream, {"reasoning_effort": "high"})
        assert message.usage_metadata is not None
        assert message.usage_metadata["output_token_details"]["reasoning"] == 2
        return message

    def invoke_with_cache_creation_input(self, *, stream: bool = False) -> AIMessage:
        key = f"{type(self).__name__} {stream} new"
        message = self._asked("remember", stream, {"prompt_cache_key": key})
        assert message.usage_metadata is not None
        assert message.usage_metadata["input_token_details"]["cache_creation"] > 0
        return message

    def invoke_with_cache_read_input(self, *, stream: bool = False) -> AIMessage:
        key = f"{type(self).__name__} {stream} old"
        self._asked("remember", stream, {"prompt_cache_key": key})
        message = self._asked("remember", stream, {"prompt_cache_key": key})
        assert message.usage_metadata is not None
        assert message.usage_metadata["input_token_details"]["cache_read"] > 0
        return message

    def _asked(self, text: str, stream: bool, options: dict[str, Any]) -> AIMessage:
        chat = ChatLLMRouter(
            router=self.router, model="agent", answer_cache="bypass", provider_options=options
        )
        if not stream:
            return chat.invoke(text)
        first, *rest = chat.stream(text)
        return sum(rest, start=first) if rest else first

    # What the suite skips for models of text alone is refused here, before anything is sent.

    @pytest.mark.xfail(reason=TEXT_ONLY, raises=UnsupportedError, strict=True)
    def test_image_inputs(self, model: BaseChatModel) -> None:
        block = {"type": "image", "base64": "aGVsbG8=", "mime_type": "image/png"}
        model.invoke([("human", [{"type": "text", "text": "Describe:"}, block])])

    @pytest.mark.xfail(reason=TEXT_ONLY, raises=UnsupportedError, strict=True)
    def test_pdf_inputs(self, model: BaseChatModel) -> None:
        block = {"type": "file", "base64": "aGVsbG8=", "mime_type": "application/pdf"}
        model.invoke([("human", [{"type": "text", "text": "Summarize:"}, block])])

    @pytest.mark.xfail(reason=TEXT_ONLY, raises=UnsupportedError, strict=True)
    def test_audio_inputs(self, model: BaseChatModel) -> None:
        block = {"type": "audio", "base64": "aGVsbG8=", "mime_type": "audio/wav"}
        model.invoke([("human", [{"type": "text", "text": "Describe:"}, block])])

    @pytest.mark.xfail(reason=TEXT_ONLY, raises=UnsupportedError, strict=True)
    def test_image_tool_message(self, model: BaseChatModel) -> None:
        block = {"type": "image", "base64": "aGVsbG8=", "mime_type": "image/png"}
        model.invoke([*called(), {"role": "tool", "tool_call_id": "1", "content": [block]}])

    @pytest.mark.xfail(reason=TEXT_ONLY, raises=UnsupportedError, strict=True)
    def test_pdf_tool_message(self, model: BaseChatModel) -> None:
        block = {"type": "file", "base64": "aGVsbG8=", "mime_type": "application/pdf"}
        model.invoke([*called(), {"role": "tool", "tool_call_id": "1", "content": [block]}])


def called() -> list[Any]:
    """A call of a tool, whose result comes next."""
    call = {"type": "tool_call", "id": "1", "name": "random", "args": {}}
    return [("human", "use the tool"), AIMessage("", tool_calls=[call])]


class TestInProcess(Suite):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def routers(cls, local: RouterThread) -> None:
        cls.router = local


class TestService(Suite):
    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def routers(cls, remote: RouterThread) -> None:
        cls.router = remote


class ByCalls(Suite):
    """Structured output by way of a call: only the tests of it differ."""

    @property
    def structured_output_kwargs(self) -> dict[str, Any]:
        return {"method": "function_calling"}


@pytest.fixture
def agent(local: RouterThread) -> ChatLLMRouter:
    return ChatLLMRouter(router=local, model="agent")


@pytest.mark.parametrize("schema", ["pydantic", "typeddict", "json_schema"])
async def test_structured_output_by_calls(agent: ChatLLMRouter, schema: Any) -> None:
    suite = ByCalls()
    suite.test_structured_output(agent, schema)
    await suite.test_structured_output_async(agent, schema)


class Place(BaseModel):
    degrees: int


class Report(BaseModel):
    """A report of the weather."""

    place: Place
    sky: Literal["clear", "grey"]
    wind: int | None = None
    days: list[Place]


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
@pytest.mark.parametrize("strict", [None, True])
def test_shapes_within_shapes(agent: ChatLLMRouter, method: str, strict: bool | None) -> None:
    asked = agent.with_structured_output(Report, method=method, strict=strict)
    place = Place(degrees=3)
    assert asked.invoke("3 degrees, grey") == Report(place=place, sky="grey", wind=3, days=[place])


def test_structured_output_by_calls_of_other_schemas(agent: ChatLLMRouter) -> None:
    suite = ByCalls()
    suite.test_structured_output_pydantic_2_v1(agent)
    suite.test_structured_output_optional_param(agent)
