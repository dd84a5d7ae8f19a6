"""A server that speaks OpenAI's API: chats and completions, streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from integration.upstreams.faults import Fault
from integration.upstreams.server import Piece, UpstreamServer

PROMPT_TOKENS = 5
DONE = b"data: [DONE]\n\n"


def event(data: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


class OpenAIServer(UpstreamServer):
    """Answers with ``words``; what else a test sets goes into the chunk where it belongs."""

    finish_reason: str | None = "stop"
    role_apart = False  # a first chunk with the role alone, as OpenAI sends it
    comment = ""  # as OpenRouter sends it while it waits
    thoughts: tuple[str, ...] = ()
    done = True
    usage: dict[str, Any] | None = None  # more of it, beside the counts
    tells_usage = True
    tool_calls: list[dict[str, Any]] | None = None  # deltas, one a chunk
    logprobs: list[Any] | None = None  # one for each word
    error: dict[str, Any] | None = None  # streamed instead of the end

    async def handle(self, request: web.Request, body: Any, fault: Fault) -> web.StreamResponse:
        chat = request.path.endswith("/chat/completions")
        if not chat and not request.path.endswith("/completions"):
            raise web.HTTPNotFound
        pieces = list(self._pieces(body, chat=chat))
        return await self.stream(request, pieces, fault, PROMPT_TOKENS)

    def _pieces(self, body: Any, *, chat: bool) -> Iterator[Piece]:
        role = self._chunk(body, {"role": "assistant", "content": ""}) if chat else b""
        if self.role_apart:
            yield Piece(role)
            role = b""
        if self.comment:
            yield Piece(f": {self.comment}\n\n".encode())
        for thought in self.thoughts:
            yield Piece(role + self._chunk(body, {"reasoning_content": thought}), 1)
            role = b""
        for index, word in enumerate(self.words):
            logprobs = None if self.logprobs is None else self.logprobs[index]
            data = self._chunk(body, {"content": word}, chat=chat, logprobs=logprobs)
            yield Piece(role + data, 1)
            role = b""
        for call in self.tool_calls or ():
            yield Piece(role + self._chunk(body, {"tool_calls": [call]}), 1)
            role = b""
        yield Piece(b"".join([role, *self._end(body, chat=chat)]))

    def _end(self, body: Any, *, chat: bool) -> Iterator[bytes]:
        if self.error is not None:
            yield event({"error": self.error})
            return
        if self.finish_reason is not None:
            yield self._chunk(body, {}, chat=chat, finish_reason=self.finish_reason)
        if self.tells_usage and body.get("stream_options", {}).get("include_usage"):
            yield event({**head(body, chat=chat), "choices": [], "usage": self._usage()})
        if self.done:
            yield DONE

    def _chunk(
        self,
        body: Any,
        delta: dict[str, Any],
        *,
        chat: bool = True,
        finish_reason: str | None = None,
        logprobs: Any = None,
    ) -> bytes:
        choice: dict[str, Any] = {"index": 0, "finish_reason": finish_reason, "logprobs": logprobs}
        choice |= {"delta": delta} if chat else {"text": delta.get("content", "")}
        return event({**head(body, chat=chat), "choices": [choice]})

    def _usage(self) -> dict[str, Any]:
        completion = len(self.words) + len(self.tool_calls or ())
        return {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": completion,
            "total_tokens": PROMPT_TOKENS + completion,
            **(self.usage or {}),
        }


def head(body: Any, *, chat: bool) -> dict[str, Any]:
    kind = "chat.completion.chunk" if chat else "text_completion"
    return {"id": "answer-1", "object": kind, "created": 1, "model": body["model"]}
