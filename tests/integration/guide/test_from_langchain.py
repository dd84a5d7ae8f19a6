"""The section "From LangChain": its chain over a router, and its file as template and model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from langchain_core.prompts import PromptTemplate

from integration.background import in_background
from integration.guide.command_line import done
from integration.model_service import serving
from integration.upstreams.openai_server import OpenAIServer
from llm_runner_router import LLMRouter
from llm_runner_router.compat.langchain import ChatLLMRouter, LLMRouterLLM, RouterThread

CHAIN = Path(__file__).with_name("langchain") / "chain.json"
"""What somebody has saved of the guide's chain."""

QUESTION = "Answer this question: What is AI?"
KEY = "sk-a-key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.chdir(tmp_path)


@pytest_asyncio.fixture
async def upstream() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer().running() as server:
        server.words = ("It", " is", " AI.")
        yield server


@pytest.fixture
def upstream_of_threads() -> Iterator[OpenAIServer]:
    with in_background(lambda: OpenAIServer().running()) as server:
        server.words = ("It", " is", " AI.")
        yield server


def guides_model(server: OpenAIServer) -> Mapping[str, Any]:
    """As the guide registers it, at an address of this machine."""
    return {
        "id": "openai-gpt35",
        "name": "OpenAI GPT-3.5",
        "format": "api",
        "provider": "openai",
        "config": {"temperature": 0.7},
        "endpoint": {"baseUrl": f"{server.address}/v1", "apiKey": "env:OPENAI_API_KEY"},
    }


def asked(server: OpenAIServer) -> Any:
    """What the server was asked last, which came with the key."""
    seen = server.seen[-1]
    assert seen.headers["Authorization"] == f"Bearer {KEY}"
    return seen.body


async def test_the_new_program(upstream: OpenAIServer) -> None:
    async with LLMRouter() as router:
        await router.register_model(guides_model(upstream))
        result = await router.process({"prompt": QUESTION, "model": "openai-gpt35"})
    assert (result.response, result.model_used) == ("It is AI.", "openai-gpt35")
    body = asked(upstream)
    assert body["messages"] == [{"role": "user", "content": QUESTION}]
    assert body["temperature"] == 0.7


@pytest.mark.parametrize("face", [LLMRouterLLM, ChatLLMRouter])
def test_the_chain_goes_on_as_it_is(upstream_of_threads: OpenAIServer, face: Any) -> None:
    with RouterThread() as router:
        model = guides_model(upstream_of_threads)
        router.run(lambda opened: opened.register_model(model))
        prompt = PromptTemplate(
            template="Answer this question: {question}", input_variables=["question"]
        )
        chain = prompt | face(router=router, model="openai-gpt35")
        result = chain.invoke({"question": "What is AI?"})
    assert getattr(result, "content", result) == "It is AI."
    body = asked(upstream_of_threads)
    text = body["prompt"] if "prompt" in body else body["messages"][0]["content"]
    assert text == QUESTION
    assert body["temperature"] == 0.7


async def test_the_saved_chain_becomes_a_template_and_a_model(
    upstream: OpenAIServer, tmp_path: Path
) -> None:
    file = tmp_path / "ask.json"
    file.write_text(CHAIN.read_text().replace("ADDRESS", f"{upstream.address}/v1"))
    async with serving({}) as service:
        command = ("migrate", "langchain", file, "--target", service.address)
        told = (await asyncio.to_thread(done, *command, "--json")).json
        async with LLMRouter(target=service.address) as router:
            (template,) = await router.list_templates()
            (view,) = await router.list_models()
            record = view.record
            assert template.format == "Answer this question: {question}"
            assert template.model_compatibility == (record.id,)
            assert (record.format, record.provider) == ("api", "openai")
            assert record.config.temperature == 0.7
            assert record.endpoint.api_key == "env:OPENAI_API_KEY"
            use = {"id": template.id, "variables": {"question": "What is AI?"}}
            result = await router.process(template=use, model=record.id)
    assert result.response == "It is AI."
    assert asked(upstream)["messages"] == [{"role": "user", "content": QUESTION}]
    fates = {one["path"]: one["fate"] for one in told["fields"]}
    assert fates["kwargs.prompt.kwargs.template"] == "mapped"
    assert fates["kwargs.llm.kwargs.temperature"] == "mapped"
    assert KEY not in str(told)
