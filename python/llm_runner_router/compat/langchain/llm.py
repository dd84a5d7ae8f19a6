"""``LLMRouterLLM``: LangChain's model of plain texts over a router."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseLLM
from langchain_core.language_models.base import LangSmithParams
from langchain_core.outputs import Generation, GenerationChunk, LLMResult

from llm_runner_router.compat.langchain.settings import RouterSettings
from llm_runner_router.compat.langchain.usage import beginning, logprobs_of, outcome, usage_of
from llm_runner_router.errors import RouterError
from llm_runner_router.types import Chunk, Complete, Event, Metrics, Request, Response, Started

Stop = list[str] | None


class LLMRouterLLM(RouterSettings, BaseLLM):
    """Goes on from texts with the models of an LLM Runner Router; see RouterSettings.

    ``raw`` sends a text untouched; without it the model's chat template makes it a user's message.
    Of several texts the first error is raised once all have ended.
    """

    raw: bool = True

    @property
    def _llm_type(self) -> str:
        return "llm-runner-router"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        return {**super()._identifying_params, "raw": self.raw}

    def _generate(
        self,
        prompts: list[str],
        stop: Stop = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        del run_manager
        requests, timeout = self._texts(prompts, stop, kwargs), self._timeout(kwargs)
        answers = self._thread.run(lambda router: router.process_batch(requests, timeout=timeout))
        return result_of(answers)

    async def _agenerate(
        self,
        prompts: list[str],
        stop: Stop = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> LLMResult:
        del run_manager
        requests, timeout = self._texts(prompts, stop, kwargs), self._timeout(kwargs)
        answers = await self._thread.run_async(
            lambda router: router.process_batch(requests, timeout=timeout)
        )
        return result_of(answers)

    def _stream(
        self,
        prompt: str,
        stop: Stop = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[GenerationChunk]:
        del run_manager  # LangChain itself tells its callbacks of each piece
        request, timeout = self._texts([prompt], stop, kwargs)[0], self._timeout(kwargs)
        events = self._thread.iterate(
            lambda router: router.process_stream(request, timeout=timeout)
        )
        with closing(events):
            yield from map(chunk_of, events)

    async def _astream(
        self,
        prompt: str,
        stop: Stop = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[GenerationChunk]:
        del run_manager
        request, timeout = self._texts([prompt], stop, kwargs)[0], self._timeout(kwargs)
        events = self._thread.iterate_async(
            lambda router: router.process_stream(request, timeout=timeout)
        )
        async with aclosing(events):
            async for event in events:
                yield chunk_of(event)

    def _texts(
        self, prompts: Sequence[str], stop: Stop, values: Mapping[str, Any]
    ) -> list[Request]:
        asked = {"raw": self.raw, **values}
        return [self._request({"prompt": prompt}, stop, asked) for prompt in prompts]

    def _get_ls_params(self, stop: Stop = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self.lc_provider
        return params


def result_of(answers: Sequence[Response | RouterError]) -> LLMResult:
    """The answers, one a text; the first error is raised."""
    generations = []
    metrics: list[Metrics] = []
    for answer in answers:
        if isinstance(answer, RouterError):
            raise answer
        generations.append([Generation(text=answer.response, generation_info=info_of(answer))])
        metrics.append(answer.metrics)
    usage = {
        "prompt_tokens": sum(part.prompt_tokens for part in metrics),
        "completion_tokens": sum(part.completion_tokens for part in metrics),
        "total_tokens": sum(part.total_tokens for part in metrics),
    }
    return LLMResult(generations=generations, llm_output={"token_usage": usage})


def info_of(answer: Response) -> dict[str, Any]:
    """What is told beside the text."""
    return {
        **beginning(answer.request_id, answer.decision),
        **outcome(answer),
        **logprobs_of(answer.logprobs),
        "usage_metadata": usage_of(answer.metrics),
    }


def chunk_of(event: Event) -> GenerationChunk:
    """A piece of an answer; each fact stands in one piece only."""
    match event:
        case Started():
            facts = beginning(event.answer_id or event.request_id, event.decision)
            return GenerationChunk(text="", generation_info=facts)
        case Chunk():
            facts = dict(logprobs_of(event.logprobs))
            return GenerationChunk(text=event.text, generation_info=facts or None)
        case Complete():
            facts = {**outcome(event), "usage_metadata": usage_of(event.metrics)}
            return GenerationChunk(text="", generation_info=facts)
