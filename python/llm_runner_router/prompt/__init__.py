"""Conversations to prompts: the chat template of a model, in a sandbox with limits."""

from llm_runner_router.prompt.chat_encoding import ChatEncoder, ChatTokenizer, encode_chat
from llm_runner_router.prompt.chat_template import PLAIN_TEMPLATE, ChatTemplate
from llm_runner_router.prompt.errors import ChatTemplateError

__all__ = [
    "PLAIN_TEMPLATE",
    "ChatEncoder",
    "ChatTemplate",
    "ChatTemplateError",
    "ChatTokenizer",
    "encode_chat",
]
