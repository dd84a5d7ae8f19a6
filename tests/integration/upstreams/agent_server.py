"""A server of OpenAI's API that acts on what it is asked: tools, shapes, stops and limits."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from integration.upstreams.openai_server import OpenAIServer
from integration.upstreams.server import Piece

QUOTED = re.compile(r"'([^']+)'")
NUMBER = re.compile(r"-?\d+")
WORD = re.compile(r"\s*\S+")


class AgentServer(OpenAIServer):
    """Calls an offered tool after a user's message, answers JSON by a schema, else it echoes.

    ``reasoning_effort`` makes it think, ``prompt_cache_key`` counts a prompt as written to a cache,
    and as read out of it the next time. ``bad_arguments`` are those of its calls, where set.
    """

    bad_arguments: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.kept: set[str] = set()

    def _pieces(self, body: Any, *, chat: bool) -> Iterator[Piece]:
        answering = copy.copy(self)  # what is set on it belongs to one answer
        answering._answer(body, chat=chat)
        return super(AgentServer, answering)._pieces(body, chat=chat)

    def _answer(self, body: Any, *, chat: bool) -> None:
        prompt = body["messages"] if chat else [{"role": "user", "content": body["prompt"]}]
        self.usage = self._counted(prompt, body)
        if body.get("reasoning_effort"):
            self.thoughts = ("let me", " think")
            self.usage["completion_tokens_details"] = {"reasoning_tokens": 2}
        if chosen := chosen_tool(body, prompt[-1]):
            self._call(chosen, said(prompt[-1]))
        else:
            self._say(text_for(body, prompt), body)

    def _call(self, function: Mapping[str, Any], text: str) -> None:
        self.words, self.finish_reason = (), "tool_calls"
        arguments = made(function.get("parameters", {}), text)
        written = self.bad_arguments or json.dumps(arguments, ensure_ascii=False)
        middle = len(written) // 2
        start = {"name": function["name"], "arguments": written[:middle]}
        self.tool_calls = [
            {"index": 0, "id": "call-1", "type": "function", "function": start},
            {"index": 0, "function": {"arguments": written[middle:]}},
        ]

    def _say(self, text: str, body: Any) -> None:
        stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop") or []
        cuts = [text.index(stop) for stop in stops if stop in text]
        words = WORD.findall(text[: min(cuts)] if cuts else text)
        most = body.get("max_tokens") or body.get("max_completion_tokens")
        if most is not None and len(words) > most:
            words, self.finish_reason = words[:most], "length"
        self.words = words

    def _counted(self, prompt: list[Any], body: Any) -> dict[str, Any]:
        tokens = len(json.dumps(prompt))
        details: dict[str, int] = {}
        if key := body.get("prompt_cache_key"):
            name = f"{key} {json.dumps(prompt)}"
            details = {"cached_tokens" if name in self.kept else "cache_write_tokens": tokens}
            self.kept.add(name)
        return {"prompt_tokens": tokens, "prompt_tokens_details": details}


def said(message: Mapping[str, Any]) -> str:
    return str(message.get("content") or "")


def chosen_tool(body: Any, last: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The tool that is called, if any: the chosen one, the one that is named, or the first."""
    choice = body.get("tool_choice")
    functions = {tool["function"]["name"]: tool["function"] for tool in body.get("tools", ())}
    if not functions or choice == "none" or last["role"] != "user":
        return None
    if isinstance(choice, dict):
        named: Mapping[str, Any] = functions[choice["function"]["name"]]
        return named
    mentioned = [function for name, function in functions.items() if name in said(last)]
    return (mentioned or list(functions.values()))[0]


def text_for(body: Any, prompt: list[Any]) -> str:
    """JSON in the wanted shape, else an echo."""
    text = said(prompt[-1])
    shape = body.get("response_format") or {}
    if shape.get("type") == "json_schema":
        return json.dumps(made(shape["json_schema"]["schema"], text), ensure_ascii=False)
    if shape.get("type") == "json_object":
        return json.dumps(dict.fromkeys(QUOTED.findall(text), "as you wished"))
    return f"I heard: {text} and you?"


def made(schema: Mapping[str, Any], text: str) -> Any:
    """A value that fits a schema, out of the text."""
    schema = schema.get("anyOf", [schema])[0]
    numbers, quoted = NUMBER.findall(text), QUOTED.findall(text)
    if "enum" in schema:
        return next((value for value in schema["enum"] if str(value) in text), schema["enum"][0])
    match schema.get("type", "object" if "properties" in schema else "string"):
        case "object":
            return {name: made(inner, text) for name, inner in schema["properties"].items()}
        case "integer" | "number":
            return int(numbers[0]) if numbers else 0
        case "boolean":
            return True
        case "array":
            return [made(schema.get("items", {}), text)]
    return quoted[0] if quoted else text
