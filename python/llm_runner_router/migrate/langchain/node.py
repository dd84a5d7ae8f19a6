"""The objects in a file of LangChain.

Two forms are known. ``langchain_core.load.dumps`` writes
``{"lc": 1, "type": "constructor", "id": ["langchain", …, "PromptTemplate"], "kwargs": {…}}``; the
older ``save`` writes the fields beside ``"_type": "prompt"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_runner_router.migrate.leaves import below

OLD_TYPES: Mapping[str, str] = {
    "prompt": "PromptTemplate",
    "few_shot": "FewShotPromptTemplate",
    "chat": "ChatPromptTemplate",
    "llm_chain": "LLMChain",
    "openai": "OpenAI",
    "openai-chat": "ChatOpenAI",
    "azure": "AzureOpenAI",
    "azure-openai-chat": "AzureChatOpenAI",
    "anthropic-chat": "ChatAnthropic",
    "anthropic-llm": "AnthropicLLM",
    "chat-ollama": "ChatOllama",
    "ollama": "Ollama",
    "ollama-llm": "OllamaLLM",
    "groq-chat": "ChatGroq",
    "mistralai-chat": "ChatMistralAI",
    "together": "Together",
    "fireworks": "Fireworks",
    "fireworks-chat": "ChatFireworks",
    "chat-deepseek": "ChatDeepSeek",
    "perplexitychat": "ChatPerplexity",
}
"""Which class an older file means."""


@dataclass(frozen=True, slots=True)
class Node:
    """One object: the name of its class, and its fields.

    ``head`` are the leaves that only say what it is, by their paths; ``inside`` is where the fields
    stand.
    """

    kind: str
    path: str
    value: Mapping[str, Any]
    head: Mapping[str, Any]
    fields: Mapping[str, Any]
    inside: str

    def at(self, name: str) -> str:
        """The path of a field."""
        return below(self.inside, name)


def node_of(value: object, path: str) -> Node | None:
    """The object that ``value`` is; ``None`` where it is none that LangChain writes."""
    if not isinstance(value, Mapping):
        return None
    if value.get("lc") == 1 and value.get("type") == "constructor":
        return constructor(value, path)
    kind = OLD_TYPES.get(str(value.get("_type")))
    if kind is None:
        return None
    head = {below(path, "_type"): value["_type"]}
    fields = {name: field for name, field in value.items() if name != "_type"}
    return Node(kind, path, value, head, fields, path)


def constructor(value: Mapping[str, Any], path: str) -> Node | None:
    """An object in the form of ``dumps``."""
    names, fields = value.get("id"), value.get("kwargs")
    if not isinstance(names, list) or not names or not isinstance(fields, Mapping):
        return None
    if not all(isinstance(name, str) for name in names):
        return None
    if not names[0].startswith("langchain"):
        return None
    head = {
        below(path, name): value[name] for name in ("lc", "type", "id", "name") if name in value
    }
    inside = below(path, "kwargs")
    return Node(names[-1], path, value, head, fields, inside)


def class_of(value: object) -> str:
    """What an object that is no node says of its class, or else of what kind it is."""
    match value:
        case {"id": [*_, str() as name]} | {"_type": str() as name}:
            return name
    return type(value).__name__


def secret_of(value: object) -> str | None:
    """The environment variable that a secret stands in, where ``value`` is one."""
    if not isinstance(value, Mapping) or (value.get("lc"), value.get("type")) != (1, "secret"):
        return None
    match value.get("id"):
        case [str() as name]:
            return name
    return ""
