# ruff: noqa: N802 - gRPC gives the methods their names
"""The Router service: each method converts, calls the backend, and converts back.

Errors are raised; ``interceptors.py`` turns them into statuses. Streams are written and closed
here, so that a client that leaves ends the work at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace

from llm_runner_router.backend import Backend, CallContext
from llm_runner_router.errors import RouterError
from llm_runner_router.server.calls import ServicerContext, call_context
from llm_runner_router.server.drain import Drain
from llm_runner_router.server.session_call import Incoming, SessionCall
from llm_runner_router.server.writing import Writer
from llm_runner_router.types import Request, Response
from llm_runner_router.v1 import router_pb2, router_pb2_grpc
from llm_runner_router.wire.batches import batch_from_wire, result_to_wire
from llm_runner_router.wire.config import changes_from_wire, config_to_wire
from llm_runner_router.wire.decisions import decision_to_wire
from llm_runner_router.wire.ensembles import ensemble_from_wire, ensemble_response_to_wire
from llm_runner_router.wire.events import event_to_wire, response_to_wire
from llm_runner_router.wire.reports import health_to_wire, status_to_wire
from llm_runner_router.wire.requests import request_from_wire
from llm_runner_router.wire.usage import query_from_wire, usage_to_wire


class RouterService(router_pb2_grpc.RouterServicer):
    """Puts the answering half of a Backend on the wire."""

    def __init__(self, backend: Backend, drain: Drain) -> None:
        self._backend = backend
        self._drain = drain

    async def Process(
        self, request: router_pb2.ProcessRequest, context: ServicerContext
    ) -> router_pb2.ProcessResponse:
        """Answer whole."""
        response = await self._backend.process(request_from_wire(request), call_context(context))
        return response_to_wire(response)

    async def ProcessStream(  # type: ignore[override]  # the stub knows generators only
        self, request: router_pb2.ProcessRequest, context: ServicerContext
    ) -> None:
        """Answer as a stream."""
        writer = await Writer.of(context, self._backend)
        stream = self._backend.process_stream(request_from_wire(request), call_context(context))
        async with aclosing(stream) as events:
            async for event in events:
                await writer.write(event_to_wire(event))

    async def ProcessBatch(
        self, request: router_pb2.ProcessBatchRequest, context: ServicerContext
    ) -> router_pb2.ProcessBatchResponse:
        """Answer several requests."""
        results = await self._answer(batch_from_wire(request), call_context(context))
        return router_pb2.ProcessBatchResponse(results=map(result_to_wire, results))

    async def _answer(
        self, batch: Sequence[Request | RouterError], context: CallContext
    ) -> list[Response | RouterError]:
        """The results in order; what is an error already stays one."""
        requests = [item for item in batch if isinstance(item, Request)]
        answers = iter(await self._backend.process_batch(requests, context) if requests else ())
        return [next(answers) if isinstance(item, Request) else item for item in batch]

    async def Converse(  # type: ignore[override]  # the stub knows generators only
        self, request_iterator: Incoming, context: ServicerContext
    ) -> None:
        """Carry many requests over one stream."""
        writer = await Writer.of(context, self._backend)
        call = SessionCall(request_iterator, writer, self._drain)
        await call.run(self._backend, call_context(context))

    async def ProcessEnsemble(
        self, request: router_pb2.ProcessEnsembleRequest, context: ServicerContext
    ) -> router_pb2.ProcessEnsembleResponse:
        """Answer by several models at once."""
        answer = await self._backend.process_ensemble(
            ensemble_from_wire(request), call_context(context)
        )
        return ensemble_response_to_wire(answer)

    async def Route(
        self, request: router_pb2.ProcessRequest, context: ServicerContext
    ) -> router_pb2.RouteResponse:
        """Which model would answer, and why."""
        decision = await self._backend.route(request_from_wire(request), call_context(context))
        return router_pb2.RouteResponse(decision=decision_to_wire(decision))

    async def Feedback(
        self, request: router_pb2.FeedbackRequest, context: ServicerContext
    ) -> router_pb2.FeedbackResponse:
        """How good an answer was."""
        await self._backend.feedback(request.request_id, request.score, call_context(context))
        return router_pb2.FeedbackResponse()

    async def GetUsage(
        self, request: router_pb2.GetUsageRequest, _context: ServicerContext
    ) -> router_pb2.GetUsageResponse:
        """What was used."""
        return usage_to_wire(await self._backend.get_usage(query_from_wire(request)))

    async def Tokenize(
        self, request: router_pb2.TokenizeRequest, _context: ServicerContext
    ) -> router_pb2.TokenizeResponse:
        """The token ids of a text."""
        token_ids = await self._backend.tokenize(
            request.model or None,
            request.text,
            add_special=request.add_special,
            parse_special=request.parse_special,
        )
        return router_pb2.TokenizeResponse(token_ids=token_ids)

    async def Detokenize(
        self, request: router_pb2.DetokenizeRequest, _context: ServicerContext
    ) -> router_pb2.DetokenizeResponse:
        """The text of token ids."""
        text = await self._backend.detokenize(request.model or None, list(request.token_ids))
        return router_pb2.DetokenizeResponse(text=text)

    async def GetConfig(
        self, _request: router_pb2.GetConfigRequest, _context: ServicerContext
    ) -> router_pb2.GetConfigResponse:
        """The configuration in force."""
        values = await self._backend.get_config()
        return router_pb2.GetConfigResponse(config=config_to_wire(values))

    async def UpdateConfig(
        self, request: router_pb2.UpdateConfigRequest, _context: ServicerContext
    ) -> router_pb2.UpdateConfigResponse:
        """Change what may change while running."""
        values = await self._backend.update_config(changes_from_wire(request))
        return router_pb2.UpdateConfigResponse(config=config_to_wire(values))

    async def GetStatus(
        self, _request: router_pb2.GetStatusRequest, _context: ServicerContext
    ) -> router_pb2.GetStatusResponse:
        """What the service does now."""
        status = await self._backend.get_status()
        if self._drain.begun.is_set():
            status = replace(status, healthy=False)
        return status_to_wire(status)

    async def CheckHealth(
        self, _request: router_pb2.CheckHealthRequest, _context: ServicerContext
    ) -> router_pb2.CheckHealthResponse:
        """Whether requests are taken."""
        report = await self._backend.check_health()
        if self._drain.begun.is_set():
            report = replace(report, ready=False, draining=True)
        return health_to_wire(report)
