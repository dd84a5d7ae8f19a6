"""A server that speaks OpenAI's chat completions and says the last message back, as a script.

Raw asyncio, so that it costs next to nothing: requests are trusted, and answered in one write each
but for streams, which take one write a word. Prints its port and ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
COMMON = {"id": "chatcmpl-1", "created": 1, "model": "echo"}
MODELS = {"object": "list", "data": [{"id": "echo", "object": "model", "owned_by": "echo"}]}
LENGTH = b"content-length:"


class Connection(asyncio.Protocol):
    """One connection: requests one after the other, each answered before the next is read."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[:end])
            size = body_size(head)
            if len(self._received) < end + 4 + size:
                return
            body = bytes(self._received[end + 4 : end + 4 + size])
            del self._received[: end + 4 + size]
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        assert self._transport is not None
        if not body:
            self._transport.write(whole(MODELS))
            return
        request = json.loads(body)
        if request.get("stream"):
            for piece in stream_pieces(request):
                self._transport.write(piece)
        else:
            self._transport.write(whole(completion(request)))


def body_size(head: bytes) -> int:
    """The length that the head tells; 0 without one."""
    at = head.lower().find(LENGTH)
    return int(head[at + len(LENGTH) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def last_text(request: dict[str, Any]) -> str:
    """What is said back; content may come as parts."""
    content = request["messages"][-1]["content"]
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def usage(words: int) -> dict[str, int]:
    """A token a word."""
    return {"prompt_tokens": words, "completion_tokens": words, "total_tokens": 2 * words}


def completion(request: dict[str, Any]) -> dict[str, Any]:
    """The whole answer."""
    text = last_text(request)
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    counts = usage(len(text.split(" ")))
    return {**COMMON, "object": "chat.completion", "choices": [choice], "usage": counts}


def whole(value: dict[str, Any]) -> bytes:
    """JSON as a response."""
    body = json.dumps(value).encode()
    return HEAD % len(body) + body


def stream_pieces(request: dict[str, Any]) -> list[bytes]:
    """The writes of a streamed answer."""
    words = last_text(request).split(" ")
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": words[0]}]
    deltas += [{"content": f" {word}"} for word in words[1:]]
    chunks = [chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    if (request.get("stream_options") or {}).get("include_usage"):
        chunks.append({**chunk([]), "usage": usage(len(words))})
    events = [b"data: " + json.dumps(value).encode() + b"\n\n" for value in chunks]
    events.append(b"data: [DONE]\n\n")
    framed = [b"%x\r\n%s\r\n" % (len(event), event) for event in events]
    return [STREAM_HEAD + framed[0], *framed[1:-1], framed[-1] + b"0\r\n\r\n"]


def chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    """One event of a stream."""
    return {**COMMON, "object": "chat.completion.chunk", "choices": choices}


async def main() -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main())
