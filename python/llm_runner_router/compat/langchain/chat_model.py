"""``ChatLLMRouter``: LangChain's chat model over a router."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.model_profile import ModelProfile
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool

from llm_runner_router.compat.langchain.answers import chunk_of, result_of
from llm_runner_router.compat.langchain.messages import messages_of
from llm_runner_router.compat.langchain.settings import RouterSettings
from llm_runner_router.compat.langchain.structured import Schema, Shape, parsed
from llm_runner_router.compat.langchain.tools import choice_of, tool_of
from llm_runner_router.types import Request

Stop = list[str] | None


class ChatLLMRouter(RouterSettings, BaseChatModel):
    """Chats with the models of an LLM Runner Router; see RouterSettings for its fields.

    Messages carry text and calls of tools; images, audio, video and files are UnsupportedError.
    Errors are those of the router. Answers say in ``response_metadata`` which model answered, why
    (``decision``), what was tried (``attempts``) and what it cost; ``request_id`` takes feedback.
    """

    @property
    def _llm_type(self) -> str:
        return "llm-runner-router-chat"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: Stop = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        request, timeout = self._chat(messages, stop, kwargs), self._timeout(kwargs)
        answer = self._thread.run(lambda router: router.process(request, timeout=timeout))
        return result_of(answer)

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: Stop = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        request, timeout = self._chat(messages, stop, kwargs), self._timeout(kwargs)
        answer = await self._thread.run_async(
            lambda router: router.process(request, timeout=timeout)
        )
        return result_of(answer)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: Stop = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        del run_manager  # LangChain itself tells its callbacks of each piece
        request, timeout = self._chat(messages, stop, kwargs), self._timeout(kwargs)
        events = self._thread.iterate(
            lambda router: router.process_stream(request, timeout=timeout)
        )
        with closing(events):
            yield from map(chunk_of, events)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: Stop = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del run_manager
        request, timeout = self._chat(messages, stop, kwargs), self._timeout(kwargs)
        events = self._thread.iterate_async(
            lambda router: router.process_stream(request, timeout=timeout)
        )
        async with aclosing(events):
            async for event in events:
                yield chunk_of(event)

    def bind_tools(
        self,
        tools: Sequence[Mapping[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | bool | Mapping[str, Any] | None = None,
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with tools.

        ``tool_choice``: ``auto``, ``none``, ``any`` (or ``required``, ``True``), or the name of a
        tool. ``strict`` closes the tools' schemas. Further keywords are those of a call.
        """
        offered = [tool_of(tool, strict=strict) for tool in tools]
        choice = choice_of(tool_choice, [tool["function"]["name"] for tool in offered])
        if choice is not None:
            kwargs["tool_choice"] = choice
        return self.bind(tools=offered, **kwargs)

    def with_structured_output(
        self,
        schema: Schema | None = None,
        *,
        include_raw: bool = False,
        method: str = "json_schema",
        strict: bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """This model with answers of a shape: pydantic instances for a class, else mappings.

        ``method``: ``json_schema`` (the answer itself), ``function_calling`` (the arguments of a
        call) or ``json_mode`` (any JSON; the prompt must say which). Further keywords are those of
        a call.
        """
        shape = Shape(schema, method, strict)
        told = {"ls_structured_output_format": shape.told}
        if method == "function_calling":
            name = shape.function["name"]
            bound = self.bind_tools(
                [schema],  # type: ignore[list-item]  # Shape has seen to it
                tool_choice=name,
                strict=strict,
                **told,
                **kwargs,
            )
        else:
            bound = self.bind(response_format=shape.response_format, **told, **kwargs)
        return parsed(bound, shape.parser, include_raw=include_raw)

    def _chat(self, messages: list[BaseMessage], stop: Stop, values: Mapping[str, Any]) -> Request:
        return self._request({"messages": messages_of(messages)}, stop, values)

    def _get_ls_params(self, stop: Stop = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = self.lc_provider
        params.setdefault("ls_model_name", "")
        if not stop and self.stop:
            params["ls_stop"] = list(self.stop)
        return params

    def _resolve_model_profile(self) -> ModelProfile:
        """What holds for every model; which tools and shapes it manages depends on the model."""
        return ModelProfile(
            text_inputs=True,
            text_outputs=True,
            image_inputs=False,
            image_url_inputs=False,
            pdf_inputs=False,
            audio_inputs=False,
            video_inputs=False,
            image_tool_message=False,
            pdf_tool_message=False,
            image_outputs=False,
            audio_outputs=False,
            video_outputs=False,
        )
