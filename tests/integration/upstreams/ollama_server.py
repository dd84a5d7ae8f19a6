"""A server that speaks Ollama's own API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from aiohttp import web

from integration.upstreams.faults import Fault
from integration.upstreams.server import Piece, UpstreamServer

CREATED = "2026-11-24T12:00:00.000000Z"


def line(tokens: int = 0, **fields: Any) -> Piece:
    return Piece(json.dumps(fields).encode() + b"\n", tokens)


class OllamaServer(UpstreamServer):
    """Answers with its words, a line each, and then with ``tool_calls``.

    ``broken_by`` comes instead of line ``breaks_at``.
    """

    malformed = b'{"message": no json\n'
    content_type = "application/x-ndjson"
    prompt_tokens = 7

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tool_calls: list[dict[str, Any]] = []
        self.thinking = ""
        self.done_reason = "stop"
        self.broken_by: Piece | None = None
        self.breaks_at = 0

    def error_body(self, fault: Fault) -> str:
        return json.dumps({"error": fault.body or "as you wished"})

    async def handle(self, request: web.Request, body: Any, fault: Fault) -> web.StreamResponse:
        assert body["stream"] is True
        speaks = {"/api/chat": self.chat, "/api/generate": self.generate}[request.path]
        pieces = [*speaks(body["model"]), self.ending(body["model"])]
        if self.broken_by is not None:
            pieces = [*pieces[: self.breaks_at], self.broken_by]
        return await self.stream(request, pieces, fault, self.prompt_tokens)

    def chat(self, model: str) -> Iterator[Piece]:
        shared = {"model": model, "created_at": CREATED, "done": False}
        said = {"role": "assistant", "content": ""}
        if self.thinking:
            yield line(1, **shared, message={**said, "thinking": self.thinking})
        for word in self.words:
            yield line(1, **shared, message={**said, "content": word})
        if self.tool_calls:
            calls = [{"function": call} for call in self.tool_calls]
            yield line(1, **shared, message={**said, "tool_calls": calls})

    def generate(self, model: str) -> Iterator[Piece]:
        for word in self.words:
            yield line(1, model=model, created_at=CREATED, done=False, response=word)

    def ending(self, model: str) -> Piece:
        """The last line has the usage; of both kinds of answers, as each reads its own part."""
        tokens = len(self.words) + bool(self.thinking) + bool(self.tool_calls)
        return line(
            model=model,
            created_at=CREATED,
            done=True,
            done_reason=self.done_reason,
            message={"role": "assistant", "content": ""},
            response="",
            prompt_eval_count=self.prompt_tokens,
            eval_count=tokens,
        )
