"""The one place where calls are counted, logged, and their errors become statuses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import grpc

from llm_runner_router.errors import RouterError
from llm_runner_router.server.calls import ServicerContext, call_context, call_name
from llm_runner_router.server.drain import Drain, expired_error
from llm_runner_router.wire.channel import REQUEST_ID_KEY
from llm_runner_router.wire.reasons import code_of
from llm_runner_router.wire.status import message_of, trailing_metadata

PACKAGE = "/llm_runner_router.v1."
ANSWERED_WHILE_DRAINING = frozenset({"GetStatus", "CheckHealth"})

Behaviour = Callable[[Any, ServicerContext], Awaitable[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"

logger = logging.getLogger(__name__)


class CallInterceptor(grpc.aio.ServerInterceptor):
    """Wraps every method of this package's services; others pass untouched."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """The wrapped handler of a method."""
        method = handler_call_details.method
        if method in self._wrapped:
            return self._wrapped[method]
        handler = await continuation(handler_call_details)
        if handler is None or not method.startswith(PACKAGE):
            return handler
        self._wrapped[method] = self._wrap(method.rpartition("/")[2], handler)
        return self._wrapped[method]

    def _wrap(self, method: str, handler: grpc.RpcMethodHandler[Any, Any]) -> Handler:
        """The same method, run by ``_run``."""
        kind = f"{arity(handler.request_streaming)}_{arity(handler.response_streaming)}"
        behaviour = getattr(handler, kind)

        async def wrapped(request: object, context: ServicerContext) -> object:
            return await self._run(method, behaviour, request, context)

        make = getattr(grpc, f"{kind}_rpc_method_handler")
        made: Handler = make(wrapped, handler.request_deserializer, handler.response_serializer)
        return made

    async def _run(
        self, method: str, behaviour: Behaviour, request: object, context: ServicerContext
    ) -> object:
        """Run one call; what it raises becomes its status."""
        name, start = call_name(context), time.monotonic()
        named = (REQUEST_ID_KEY, name)
        context.set_trailing_metadata((named,))
        try:
            if method not in ANSWERED_WHILE_DRAINING:
                self._drain.check()
            with self._drain.counted():
                result = await behaviour(request, context)
        except RouterError as caught:
            error = caught
        except asyncio.CancelledError:
            if not self._drain.expired:
                log_end(method, name, context, start, "CANCELLED")
                raise
            error = expired_error()
        except grpc.aio.InternalError:  # a write failed: the client has left
            log_end(method, name, context, start, "CANCELLED")
            raise asyncio.CancelledError from None
        except Exception:
            logger.exception("%s %s failed", method, name)
            error = RouterError(f"internal error; the service's log tells more under {name}")
        else:
            log_end(method, name, context, start, "OK")
            return result
        log_end(method, name, context, start, error.reason)
        metadata = (named, *trailing_metadata(error))
        return await context.abort(code_of(error), message_of(error), metadata)


def arity(streaming: bool) -> str:  # noqa: FBT001 - the field of gRPC's handler
    """The word of gRPC's handler names."""
    return "stream" if streaming else "unary"


def log_end(method: str, name: str, context: ServicerContext, start: float, end: str) -> None:
    """One line for each call; what failed shows at the usual level."""
    level = logging.DEBUG if end == "OK" else logging.INFO
    if logger.isEnabledFor(level):
        caller, took = call_context(context).caller, (time.monotonic() - start) * 1000
        logger.log(level, "%s %s caller=%s %s %.1f ms", method, name, caller, end, took)
