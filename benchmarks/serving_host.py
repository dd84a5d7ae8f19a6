"""Two services in a process of their own, run as a script: ours over an echo, and bare gRPC.

Prints both addresses on one line and ends when its standard input does. The bare service answers
the same calls from messages that are made before: what is left is gRPC itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc

from llm_runner_router.config.sources import load_config
from llm_runner_router.providers.base import Provider
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.registry.records import LoadProgress, MemoryEstimate, ModelRecord
from llm_runner_router.runtime import Runtime
from llm_runner_router.server.app import Server, ServerOptions
from llm_runner_router.types import ModelFormat
from llm_runner_router.v1 import router_pb2
from llm_runner_router.wire.channel import SERVER_OPTIONS

MODEL = "echo"
Context = grpc.aio.ServicerContext[Any, Any]


class EchoLoader:
    """Loads an echo whatever the record says."""

    async def estimate(self, record: ModelRecord) -> MemoryEstimate | None:
        """See ModelLoader."""
        del record
        return None

    async def load(
        self, record: ModelRecord, on_progress: Callable[[LoadProgress], None]
    ) -> Provider:
        """See ModelLoader."""
        del record, on_progress
        return EchoProvider()


async def process(
    request: router_pb2.ProcessRequest, _context: Context
) -> router_pb2.ProcessResponse:
    """The prompt, as cheaply as Python can."""
    return router_pb2.ProcessResponse(response=request.prompt, model_used=MODEL)


async def process_stream(
    request: router_pb2.ProcessRequest, _context: Context
) -> AsyncIterator[router_pb2.ProcessStreamResponse]:
    """A message a word, all the same, between a first and a last one."""
    words = request.prompt.split(" ")
    text = f" {words[0]}"
    chunk = router_pb2.Chunk(text=text, token_ids=map(ord, text))
    message = router_pb2.ProcessStreamResponse(chunk=chunk)
    yield router_pb2.ProcessStreamResponse(started=router_pb2.Started(model=MODEL))
    for _ in words:
        yield message
    yield router_pb2.ProcessStreamResponse(complete=router_pb2.Complete(model_used=MODEL))


def bare_server() -> grpc.aio.Server:
    """Both calls without any of our code."""
    handlers = {
        "Process": grpc.unary_unary_rpc_method_handler(
            process,
            router_pb2.ProcessRequest.FromString,
            router_pb2.ProcessResponse.SerializeToString,
        ),
        "ProcessStream": grpc.unary_stream_rpc_method_handler(
            process_stream,
            router_pb2.ProcessRequest.FromString,
            router_pb2.ProcessStreamResponse.SerializeToString,
        ),
    }
    service = router_pb2.DESCRIPTOR.services_by_name["Router"].full_name
    server = grpc.aio.server(options=SERVER_OPTIONS)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    return server


async def main() -> None:
    """Serve until standard input ends."""
    bare = bare_server()
    port = bare.add_insecure_port("127.0.0.1:0")
    await bare.start()
    values = {"performance": {"max_concurrent": 64}, "cache": {"enabled": False}}
    runtime = Runtime(load_config(values, environment={}, folder=Path.cwd()), EchoLoader())
    await runtime.initialize()
    await runtime.register_model(ModelRecord(MODEL, MODEL, ModelFormat.GGUF, "echo.gguf"))
    server = Server(runtime, ServerOptions(port=0, drain_timeout=1.0))
    await server.start()
    print(server.address, f"127.0.0.1:{port}", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop()
    await runtime.close()
    await bare.stop(None)


if __name__ == "__main__":
    asyncio.run(main())
