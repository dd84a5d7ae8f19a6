"""A server that speaks Anthropic's Messages API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from integration.upstreams.faults import Fault
from integration.upstreams.server import Piece, UpstreamServer

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@dataclass(frozen=True)
class Block:
    """A content block: how it starts, and its deltas; each delta of text is one token."""

    start: dict[str, Any]
    deltas: Sequence[dict[str, Any]]


def text_block(words: Iterable[str]) -> Block:
    deltas = [{"type": "text_delta", "text": word} for word in words]
    return Block({"type": "text", "text": ""}, deltas)


def thinking_block(text: str) -> Block:
    deltas = [
        {"type": "thinking_delta", "thinking": text},
        {"type": "signature_delta", "signature": "c2lnbmVk"},
    ]
    return Block({"type": "thinking", "thinking": "", "signature": ""}, deltas)


def tool_block(call_id: str, name: str, pieces: Iterable[str]) -> Block:
    deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
    return Block({"type": "tool_use", "id": call_id, "name": name, "input": {}}, deltas)


def event(kind: str, tokens: int = 0, **fields: Any) -> Piece:
    data = json.dumps({"type": kind, **fields})
    return Piece(f"event: {kind}\ndata: {data}\n\n".encode(), tokens)


def error_event(kind: str, message: str) -> Piece:
    return event("error", error={"type": kind, "message": message})


class AnthropicServer(UpstreamServer):
    """Answers with ``blocks``, or its words. ``broken_by`` comes instead of piece ``breaks_at``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.blocks: Sequence[Block] | None = None
        self.stop_reason = "end_turn"
        self.input_usage = {
            "input_tokens": 5,
            "cache_read_input_tokens": 3,
            "cache_creation_input_tokens": 2,
        }
        self.output_usage: dict[str, Any] = {}
        self.pings = False
        self.broken_by: Piece | None = None
        self.breaks_at = 0

    malformed = b"event: content_block_delta\ndata: {no json\n\n"

    def error_body(self, fault: Fault) -> str:
        kind = ERROR_TYPES.get(fault.status, "api_error")
        message = fault.body or "as you wished"
        return json.dumps({"type": "error", "error": {"type": kind, "message": message}})

    async def handle(self, request: web.Request, body: Any, fault: Fault) -> web.StreamResponse:
        assert request.path == "/v1/messages"
        assert request.headers["anthropic-version"] == "2023-06-01"
        pieces: Iterable[Piece] = self.pieces(body["model"])
        if self.broken_by is not None:
            pieces = [*list(pieces)[: self.breaks_at], self.broken_by]
        return await self.stream(request, pieces, fault, sum(self.input_usage.values()))

    def pieces(self, model: str) -> Iterator[Piece]:
        """Two pieces come before the first delta: the start of the message and of its block."""
        blocks = [text_block(self.words)] if self.blocks is None else self.blocks
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model}
        usage = {**self.input_usage, "output_tokens": 1}
        opening = {**message, "content": [], "stop_reason": None, "usage": usage}
        yield event("message_start", message=opening)
        if self.pings:
            yield event("ping")
        for index, block in enumerate(blocks):
            yield event("content_block_start", index=index, content_block=block.start)
            for delta in block.deltas:
                yield event("content_block_delta", 1, index=index, delta=delta)
            yield event("content_block_stop", index=index)
        tokens = sum(len(block.deltas) for block in blocks)
        ending = {"stop_reason": self.stop_reason, "stop_sequence": None}
        spent = {"output_tokens": tokens, **self.output_usage}
        yield event("message_delta", delta=ending, usage=spent)
        yield event("message_stop")
