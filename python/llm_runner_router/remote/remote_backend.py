"""A Backend that asks another service over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import grpc

from llm_runner_router.backend import ANONYMOUS, CallContext
from llm_runner_router.conversation_messages import SessionEvent, SessionMessage
from llm_runner_router.decision import Decision
from llm_runner_router.ensembles import EnsembleRequest, EnsembleResponse
from llm_runner_router.errors import EngineError, RouterError, UnavailableError, shorten
from llm_runner_router.hidden import shown_address
from llm_runner_router.registry.records import UsageQuery, UsageRow
from llm_runner_router.remote.calls import metadata_of, received, timeout_of, translated
from llm_runner_router.remote.remote_registry import RemoteRegistry
from llm_runner_router.remote.remote_session import RemoteSession
from llm_runner_router.types import Event, HealthReport, Request, Response, Status
from llm_runner_router.v1 import router_pb2, router_pb2_grpc
from llm_runner_router.validation.request import validate_batch
from llm_runner_router.wire.batches import batch_to_wire, result_from_wire
from llm_runner_router.wire.channel import CLIENT_OPTIONS
from llm_runner_router.wire.config import changes_to_wire, config_from_wire
from llm_runner_router.wire.decisions import decision_from_wire
from llm_runner_router.wire.ensembles import ensemble_response_from_wire, ensemble_to_wire
from llm_runner_router.wire.events import event_from_wire, response_from_wire
from llm_runner_router.wire.fields import assign, extend
from llm_runner_router.wire.reports import health_from_wire, status_from_wire
from llm_runner_router.wire.requests import request_to_wire
from llm_runner_router.wire.usage import feedback_to_wire, query_to_wire, usage_from_wire

CONNECT_SECONDS = 10.0


class RemoteBackend(RemoteRegistry):
    """The router at ``target``: ``host:port`` or ``unix:/path``. Belongs to one event loop.

    Deadlines and cancellation pass through. Errors are those that the service raised; where it
    cannot be reached they are UnavailableError.
    """

    def __init__(self, target: str, *, connect_timeout: float = CONNECT_SECONDS) -> None:
        self._target = target
        self._connect_timeout = connect_timeout
        self._channel = grpc.aio.insecure_channel(target, options=CLIENT_OPTIONS)
        self._router = router_pb2_grpc.RouterStub(self._channel)
        super().__init__(self._channel)

    async def initialize(self) -> None:
        """Connect. UnavailableError where nothing answers in time."""
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._channel.channel_ready()
        except TimeoutError:
            message = f"no service answers at {shorten(shown_address(self._target))}"
            raise UnavailableError(message) from None

    async def close(self) -> None:
        """Cancel what runs and close the connection."""
        await self._channel.close()

    async def process(self, request: Request, context: CallContext = ANONYMOUS) -> Response:
        """Answer whole."""
        message = request_to_wire(request)
        with translated():
            answer = await self._router.Process(
                message, timeout=timeout_of(context), metadata=metadata_of(context)
            )
        return response_from_wire(answer)

    async def process_stream(
        self, request: Request, context: CallContext = ANONYMOUS
    ) -> AsyncGenerator[Event, None]:
        """Answer as Started, Chunk …, Complete."""
        call = self._router.ProcessStream(
            request_to_wire(request), timeout=timeout_of(context), metadata=metadata_of(context)
        )
        async with aclosing(received(call)) as messages:
            async for message in messages:
                event = event_from_wire(message)
                if event is not None:
                    yield event

    async def process_batch(
        self, requests: Sequence[Request], context: CallContext = ANONYMOUS
    ) -> Sequence[Response | RouterError]:
        """Answer each, in order; one that fails does not fail the others."""
        validate_batch(requests)
        batch = batch_to_wire(requests)
        good = [message for message in batch if not isinstance(message, RouterError)]
        answers = iter(await self._answer(good, context) if good else ())
        return [item if isinstance(item, RouterError) else next(answers) for item in batch]

    async def _answer(
        self, batch: Sequence[router_pb2.ProcessRequest], context: CallContext
    ) -> Sequence[Response | RouterError]:
        """What the service makes of requests that the wire can hold."""
        with translated():
            answer = await self._router.ProcessBatch(
                router_pb2.ProcessBatchRequest(requests=batch),
                timeout=timeout_of(context),
                metadata=metadata_of(context),
            )
        if len(answer.results) != len(batch):
            count = f"{len(answer.results)} results for {len(batch)} requests"
            raise EngineError(f"the service answered {count}")
        return tuple(map(result_from_wire, answer.results))

    async def converse(
        self, messages: AsyncIterator[SessionMessage], context: CallContext = ANONYMOUS
    ) -> AsyncGenerator[SessionEvent, None]:
        """Run a session. The end of ``messages`` half-closes it."""
        async with aclosing(RemoteSession(messages).events(self._router, context)) as events:
            async for event in events:
                yield event

    async def process_ensemble(
        self, ensemble: EnsembleRequest, context: CallContext = ANONYMOUS
    ) -> EnsembleResponse:
        """Answer by several models at once."""
        message = ensemble_to_wire(ensemble)
        with translated():
            answer = await self._router.ProcessEnsemble(
                message, timeout=timeout_of(context), metadata=metadata_of(context)
            )
        return ensemble_response_from_wire(answer)

    async def route(self, request: Request, context: CallContext = ANONYMOUS) -> Decision:
        """Which model would answer, and why."""
        message = request_to_wire(request)
        with translated():
            answer = await self._router.Route(
                message, timeout=timeout_of(context), metadata=metadata_of(context)
            )
        return decision_from_wire(answer.decision)

    async def feedback(
        self, request_id: str, score: float, context: CallContext = ANONYMOUS
    ) -> None:
        """How good an answer was."""
        message = feedback_to_wire(request_id, score)
        with translated():
            await self._router.Feedback(
                message, timeout=timeout_of(context), metadata=metadata_of(context)
            )

    async def get_usage(self, query: UsageQuery) -> Sequence[UsageRow]:
        """What was used, in the order of day, caller and model."""
        message = query_to_wire(query)
        with translated():
            return usage_from_wire((await self._router.GetUsage(message)).rows)

    async def tokenize(
        self, model: str | None, text: str, *, add_special: bool, parse_special: bool
    ) -> Sequence[int]:
        """The token ids of a text."""
        message = router_pb2.TokenizeRequest(add_special=add_special, parse_special=parse_special)
        assign(message, "model", model or "")
        assign(message, "text", text)
        with translated():
            return tuple((await self._router.Tokenize(message)).token_ids)

    async def detokenize(self, model: str | None, token_ids: Sequence[int]) -> str:
        """The text of token ids."""
        message = router_pb2.DetokenizeRequest()
        assign(message, "model", model or "")
        extend(message, "token_ids", token_ids)
        with translated():
            return (await self._router.Detokenize(message)).text

    async def get_config(self) -> Mapping[str, Any]:
        """The part of the configuration in force that the service tells."""
        with translated():
            answer = await self._router.GetConfig(router_pb2.GetConfigRequest())
        return config_from_wire(answer.config)

    async def update_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what may change while running."""
        message = changes_to_wire(changes)
        with translated():
            answer = await self._router.UpdateConfig(message)
        return config_from_wire(answer.config)

    async def get_status(self) -> Status:
        """What the service does now."""
        with translated():
            return status_from_wire(await self._router.GetStatus(router_pb2.GetStatusRequest()))

    async def check_health(self) -> HealthReport:
        """Whether requests are taken."""
        with translated():
            answer = await self._router.CheckHealth(router_pb2.CheckHealthRequest())
        return health_from_wire(answer)
