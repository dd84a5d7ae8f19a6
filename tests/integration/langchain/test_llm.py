"""LangChain's model of plain texts, over a router in this process and over a service."""

from __future__ import annotations

import pytest
from langchain_core.prompts import PromptTemplate

from integration.upstreams.agent_server import AgentServer
from integration.upstreams.faults import status
from llm_runner_router.compat.langchain import ChatLLMRouter, LLMRouterLLM, RouterThread
from llm_runner_router.errors import ProviderRejectedError


def test_texts_go_to_the_provider_as_they_are(router: RouterThread, server: AgentServer) -> None:
    llm = LLMRouterLLM(router=router, model="agent", answer_cache="bypass", max_tokens=9)
    chain = PromptTemplate.from_template("Once upon {what}") | llm.bind(stop=["time"])
    assert chain.invoke({"what": "a time"}) == "I heard: Once upon a"
    seen = server.seen[-1]
    assert seen.path == "/v1/completions"
    asked = {key: seen.body[key] for key in ("prompt", "stop", "max_tokens")}
    assert asked == {"prompt": "Once upon a time", "stop": ["time"], "max_tokens": 9}


async def test_streams_and_batches(router: RouterThread) -> None:
    llm = LLMRouterLLM(router=router, model="agent")
    assert "".join(llm.stream("one two")) == "I heard: one two and you?"
    assert "".join([piece async for piece in llm.astream("b")]) == "I heard: b and you?"
    wanted = [f"I heard: {text} and you?" for text in "cde"]
    assert llm.batch(list("cde")) == await llm.abatch(list("cde")) == wanted


def test_a_refusal_of_the_provider_comes_as_the_routers_error(
    router: RouterThread, server: AgentServer
) -> None:
    for kind in (LLMRouterLLM, ChatLLMRouter):
        server.inject(status(401))
        model = kind(router=router, model="agent", answer_cache="bypass", max_retries=0)
        with pytest.raises(ProviderRejectedError) as caught:
            model.invoke("refuse me")
        assert caught.value.reason == "PROVIDER_REJECTED"


def test_arguments_that_are_no_json_make_an_invalid_call(
    router: RouterThread, server: AgentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def add(a: int) -> int:
        """Adds."""
        return a

    monkeypatch.setattr(server, "bad_arguments", '{"a": 1')
    chat = ChatLLMRouter(router=router, model="agent", answer_cache="bypass").bind_tools([add])
    message = chat.invoke("add 1")
    assert message.tool_calls == []
    (call,) = message.invalid_tool_calls
    assert (call["name"], call["args"]) == ("add", '{"a": 1')
