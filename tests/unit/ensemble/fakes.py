"""Models that answer when a test says so."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from llm_runner_router.backend import CallContext
from llm_runner_router.errors import RouterError
from llm_runner_router.types import FinishReason, Metrics, Request, Response


def answer(text: str, model: str = "m", **metrics: float) -> Response:
    return Response(model, text, model, FinishReason.STOP, Metrics(**metrics))  # type: ignore[arg-type]  # counts


class Models:
    """Answers by model: a text, a response, or an error; models in ``gates`` wait for theirs."""

    def __init__(self, answers: Mapping[str, str | Response | RouterError]) -> None:
        self.answers = answers
        self.gates: dict[str, asyncio.Event] = {}
        self.requests: list[Request] = []
        self.contexts: list[CallContext] = []
        self.cancelled: list[str] = []

    def hold(self, *models: str) -> None:
        self.gates.update({model: asyncio.Event() for model in models})

    async def __call__(self, request: Request, context: CallContext) -> Response:
        self.requests.append(request)
        self.contexts.append(context)
        model = str(request.model)
        try:
            if model in self.gates:
                await self.gates[model].wait()
        except asyncio.CancelledError:
            self.cancelled.append(model)
            raise
        given = self.answers[model]
        if isinstance(given, RouterError):
            raise given
        return answer(given, model) if isinstance(given, str) else given
