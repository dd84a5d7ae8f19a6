from __future__ import annotations

import pytest
from langchain_core.prompts import PromptTemplate

from llm_runner_router.compat.langchain import LLMRouterLLM, RouterThread
from llm_runner_router.errors import ProviderFailedError


@pytest.fixture
def llm(echoes: RouterThread) -> LLMRouterLLM:
    return LLMRouterLLM(router=echoes, model="m")


def test_texts_are_raw_unless_said_otherwise(llm: LLMRouterLLM) -> None:
    (raw,) = llm._texts(["x"], None, {})
    (rendered,) = llm._texts(["x"], ["END"], {"raw": False})
    assert (raw.prompt, raw.raw, rendered.raw, rendered.stop) == ("x", True, False, ["END"])


def test_a_prompt_and_a_batch(llm: LLMRouterLLM) -> None:
    chain = PromptTemplate.from_template("Answer: {question}") | llm
    assert chain.invoke({"question": "why?"}) == "Answer: why?"
    assert llm.batch(["a", "b"]) == ["a", "b"]


async def test_it_answers_asynchronously(llm: LLMRouterLLM) -> None:
    assert await llm.ainvoke("a b") == "a b"
    assert [piece async for piece in llm.astream("a b")] == ["", "a", " b", ""]


def test_what_is_told_beside_the_text(llm: LLMRouterLLM) -> None:
    result = llm.generate(["one two", "three"])
    first = result.generations[0][0]
    assert first.generation_info is not None
    assert first.generation_info["model_name"] == "m"
    assert first.generation_info["finish_reason"] == "stop"
    usage = first.generation_info["usage_metadata"]
    assert result.llm_output is not None
    assert usage["total_tokens"] > 0
    assert (
        result.llm_output["token_usage"]["total_tokens"]
        == usage["total_tokens"]
        + result.generations[1][0].generation_info["usage_metadata"]["total_tokens"]
    )


def test_errors_are_those_of_the_router(llm: LLMRouterLLM) -> None:
    with pytest.raises(ProviderFailedError):
        llm.invoke("x", model="broken-text", max_retries=0)
    with pytest.raises(ProviderFailedError):
        list(llm.stream("one two", model="breaks-off"))


def test_its_cache_key_tells_raw_from_rendered(echoes: RouterThread) -> None:
    keys = {
        str(LLMRouterLLM(router=echoes, model="m", raw=raw)._identifying_params)
        for raw in (True, False)
    }
    assert len(keys) == 2
