"""Conversations in which the model asks for tools, and those that templates began."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from llm_runner_router.conversation_messages import Append, Cancel, Failure, Start
from llm_runner_router.errors import EngineError
from llm_runner_router.preferences import TemplateUse
from llm_runner_router.providers.base import (
    Accepted,
    Call,
    Delta,
    Finished,
    Provider,
    ProviderEvent,
)
from llm_runner_router.providers.echo import EchoBehaviour, EchoProvider
from llm_runner_router.registry.records import (
    LoadProgress,
    MemoryEstimate,
    ModelRecord,
    PromptTemplate,
)
from llm_runner_router.runtime import Runtime
from llm_runner_router.tools import Tool, ToolCall, ToolCallDelta
from llm_runner_router.types import (
    Complete,
    FinishReason,
    Message,
    Metrics,
    ModelFormat,
    Request,
    Role,
)
from unit.echoes import EchoLoader, echo_runtime
from unit.test_conversation import Client

CALL = ToolCall("c1", "look_up", '{"q": 1}')
ASKS = Request(prompt="how many?", tools=(Tool("look_up"),))


class AskingProvider(EchoProvider):
    """Asks for a tool where the last message is not the result of one; ``gate`` holds the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[Request] = []

    async def generate(self, call: Call) -> AsyncGenerator[ProviderEvent, None]:
        self.asked.append(call.request)
        yield Accepted()
        messages = call.request.messages
        if messages and messages[-1].role is Role.TOOL:
            yield Delta(f"{messages[-1].content} of them")
            yield Finished(FinishReason.STOP, Metrics())
            return
        yield Delta("Let me see.", tool_calls=(ToolCallDelta(0, "c1", "look_up", '{"q"'),))
        await self.gate.wait()
        yield Delta("", tool_calls=(ToolCallDelta(0, arguments=": 1}"),))
        yield Finished(FinishReason.TOOL_CALLS, Metrics())


class AskingLoader:
    """Loads one provider that asks for tools."""

    def __init__(self) -> None:
        self.provider = AskingProvider()

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        del record
        return None

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        del record, on_progress
        return self.provider


@asynccontextmanager
async def asking_runtime() -> AsyncIterator[tuple[Runtime, AskingProvider]]:
    """A runtime whose only model asks for tools."""
    loader: Any = AskingLoader()
    async with echo_runtime(loader=loader, models=()) as runtime:
        await runtime.register_model(ModelRecord("m", "", ModelFormat.API, "m", provider="echo"))
        yield runtime, loader.provider


async def test_calls_stay_in_the_conversation_and_are_answered() -> None:
    async with asking_runtime() as (runtime, provider):
        client = Client(runtime)
        client.send(Start("a", ASKS))
        end = (await client.read_to_end("a"))[-1].event
        assert isinstance(end, Complete)
        assert end.finish_reason is FinishReason.TOOL_CALLS
        result = Message(Role.TOOL, "42", (), "c1")
        client.send(Append("a", [result]), None)
        await client.read_to_end("a")
        assert provider.asked[-1].messages == (
            Message(Role.USER, "how many?"),
            Message(Role.ASSISTANT, "Let me see.", (CALL,)),
            result,
        )
        assert provider.asked[-1].tools == ASKS.tools
        await client.stream.aclose()


async def test_half_a_call_is_forgotten_when_it_is_cancelled() -> None:
    async with asking_runtime() as (runtime, provider):
        client = Client(runtime)
        provider.gate.clear()
        client.send(Start("a", ASKS))
        await client.read()
        await client.read()
        client.send(Cancel("a"))
        end = (await client.read_to_end("a"))[-1].event
        assert isinstance(end, Complete)
        assert end.finish_reason is FinishReason.CANCELLED
        provider.gate.set()
        client.send(Append("a", [Message(Role.USER, "go on")]), None)
        await client.read_to_end("a")
        assert provider.asked[-1].messages[1] == Message(Role.ASSISTANT, "Let me see.")
        await client.stream.aclose()


async def test_whole_answers_hold_the_calls() -> None:
    async with asking_runtime() as (runtime, _):
        answer = await runtime.process(ASKS)
        assert answer.tool_calls == (CALL,)
        assert answer.finish_reason is FinishReason.TOOL_CALLS


async def test_a_conversation_that_a_template_began_goes_on_from_its_text() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        await runtime.set_template(PromptTemplate("greet", "hello {name}"))
        client = Client(runtime)
        client.send(Start("a", Request(template=TemplateUse("greet", {"name": "you"}))))
        assert isinstance((await client.read_to_end("a"))[-1].event, Complete)
        await runtime.delete_template("greet")
        client.send(Append("a", [Message(Role.USER, "more")]), None)
        assert isinstance((await client.read_to_end("a"))[-1].event, Complete)
        said = [message.content for message in loader.providers["m"].calls[-1].request.messages]
        assert said == ["hello you", "hello you", "more"]
        await client.stream.aclose()


async def test_a_conversation_whose_template_failed_once_goes_on() -> None:
    loader = EchoLoader(EchoBehaviour(failure=EngineError("broken")))
    async with echo_runtime({"routing": {"maxAttempts": 1}}, loader) as runtime:
        await runtime.set_template(PromptTemplate("greet", "hello {name}"))
        client = Client(runtime)
        client.send(Start("a", Request(template=TemplateUse("greet", {"name": "you"}))))
        assert isinstance((await client.read_to_end("a"))[-1].event, Failure)
        loader.providers["m"].behaviour = EchoBehaviour()
        client.send(Append("a", [Message(Role.USER, "more")]), None)
        assert isinstance((await client.read_to_end("a"))[-1].event, Complete)
        said = [message.content for message in loader.providers["m"].calls[-1].request.messages]
        assert said == ["hello you", "more"]
        await client.stream.aclose()
