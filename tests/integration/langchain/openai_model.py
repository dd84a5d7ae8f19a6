"""A chat model of LangChain over the official client, under the name of LangChain's own for it.

LangChain's own package is not installed here. Its dumps and its requests are of this form.
"""

from __future__ import annotations

from typing import Any

import openai
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import SecretStr


class ChatOpenAI(BaseChatModel):
    model_name: str
    temperature: float | None = None
    max_tokens: int | None = None
    openai_api_base: str
    openai_api_key: SecretStr

    @property
    def _llm_type(self) -> str:
        return "openai-chat"

    @property
    def lc_secrets(self) -> dict[str, str]:
        return {"openai_api_key": "OPENAI_API_KEY"}

    @classmethod
    def is_lc_serializable(cls) -> bool:
        return True

    @classmethod
    def get_lc_namespace(cls) -> list[str]:
        return ["langchain", "chat_models", "openai"]

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        wishes = {
            "temperature": self.temperature,
            "max_completion_tokens": self.max_tokens,
            "stop": stop,
            **kwargs,
        }
        with openai.OpenAI(
            api_key=self.openai_api_key.get_secret_value(),
            base_url=self.openai_api_base,
            max_retries=0,
        ) as client:
            chunks = client.chat.completions.create(
                model=self.model_name,
                messages=convert_to_openai_messages(messages),
                stream=True,
                **{name: wish for name, wish in wishes.items() if wish is not None},
            )
            deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        text = "".join(delta.content or "" for delta in deltas)
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])
