"""What a router offers, be it in this process or behind a channel.

``Runtime`` (this process) and ``RemoteBackend`` (gRPC) implement it; ``LLMRouter`` is the face
over either, and the server puts a Runtime on the wire.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from llm_runner_router.conversation_messages import SessionEvent, SessionMessage
from llm_runner_router.decision import Decision
from llm_runner_router.ensembles import EnsembleRequest, EnsembleResponse
from llm_runner_router.errors import RouterError
from llm_runner_router.registry.records import (
    Alias,
    ImportReport,
    LoadProgress,
    ModelPage,
    ModelQuery,
    ModelRecord,
    ModelView,
    PromptTemplate,
    PullProgress,
    RegistryChange,
    UsageQuery,
    UsageRow,
)
from llm_runner_router.types import Event, HealthReport, Request, Response, Status

ProgressListener = Callable[[LoadProgress], None]
PullListener = Callable[[PullProgress], None]

ALL_MODELS = ModelQuery()


@dataclass(frozen=True, slots=True)
class CallContext:
    """Who calls and until when: ``deadline`` is a time of ``time.monotonic()``."""

    caller: str = "anonymous"
    deadline: float | None = None


ANONYMOUS = CallContext()


class Backend(Protocol):
    """All methods raise RouterError and nothing else for what can go wrong.

    Instances belong to one event loop. Iterators must be closed (``aclose``) or exhausted;
    closing one early, or cancelling the task that consumes it, cancels its work.
    """

    async def initialize(self) -> None:
        """Open what is needed. Called once, before anything else."""
        ...

    async def process(self, request: Request, context: CallContext = ANONYMOUS) -> Response:
        """Answer whole."""
        ...

    def process_stream(
        self, request: Request, context: CallContext = ANONYMOUS
    ) -> AsyncGenerator[Event, None]:
        """Answer as Started, Chunk …, Complete."""
        ...

    async def process_batch(
        self, requests: Sequence[Request], context: CallContext = ANONYMOUS
    ) -> Sequence[Response | RouterError]:
        """Answer each, in order; one that fails does not fail the others."""
        ...

    def converse(
        self, messages: AsyncIterator[SessionMessage], context: CallContext = ANONYMOUS
    ) -> AsyncGenerator[SessionEvent, None]:
        """Run a session. The end of ``messages`` lets what runs finish."""
        ...

    async def process_ensemble(
        self, ensemble: EnsembleRequest, context: CallContext = ANONYMOUS
    ) -> EnsembleResponse:
        """Answer by several models at once."""
        ...

    async def route(self, request: Request, context: CallContext = ANONYMOUS) -> Decision:
        """Which model would answer, and why; nothing is run, counted or remembered."""
        ...

    async def feedback(
        self, request_id: str, score: float, context: CallContext = ANONYMOUS
    ) -> None:
        """How good an answer was, from 0 to 1; ResourceNotFoundError once it is forgotten.

        ``request_id`` is that of a Response, or the ``answer_id`` of a Started.
        """
        ...

    async def get_usage(self, query: UsageQuery) -> Sequence[UsageRow]:
        """What was used, in the order of day, caller and model."""
        ...

    async def tokenize(
        self, model: str | None, text: str, *, add_special: bool, parse_special: bool
    ) -> Sequence[int]:
        """The token ids of a text."""
        ...

    async def detokenize(self, model: str | None, token_ids: Sequence[int]) -> str:
        """The text of token ids."""
        ...

    async def register_model(self, record: ModelRecord) -> ModelView:
        """Add a model; AlreadyExistsError where the id is taken."""
        ...

    async def unregister_model(self, model: str) -> None:
        """Forget a model and unload it; its file stays."""
        ...

    async def update_model(self, record: ModelRecord, fields: Sequence[str]) -> ModelView:
        """Change the named fields (paths such as ``name`` or ``config.temperature``)."""
        ...

    async def get_model(self, model: str) -> ModelView:
        """One model."""
        ...

    async def list_models(self, query: ModelQuery = ALL_MODELS) -> ModelPage:
        """A page of the models that a query asks for."""
        ...

    def watch_models(self, resume_token: str = "") -> AsyncGenerator[RegistryChange, None]:
        """Every change of models and aliases from that token on; without one all there is first."""
        ...

    async def pull_model(
        self, source: str, model: str = "", on_progress: PullListener | None = None
    ) -> ModelView:
        """Download a model and register it; without a source, that of a registered model."""
        ...

    async def import_registry(self, document: bytes, *, replace: bool = False) -> ImportReport:
        """Add the models and templates of a registry file, all or none."""
        ...

    async def export_registry(self) -> bytes:
        """All models and templates as a registry file."""
        ...

    async def load_model(
        self, model: str, on_progress: ProgressListener | None = None
    ) -> ModelView:
        """Bring a model into memory. Concurrent loads of one model are one load."""
        ...

    async def unload_model(self, model: str, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Take a model out of memory once its requests are done, or after ``timeout`` seconds."""
        ...

    async def set_alias(self, alias: Alias) -> Alias:
        """Create an alias, or replace it in one step. ModelBusyError where ``etag`` is stale."""
        ...

    async def get_alias(self, alias: str) -> Alias:
        """One alias; ResourceNotFoundError where there is none."""
        ...

    async def list_aliases(self) -> Sequence[Alias]:
        """All aliases in the order of their ids."""
        ...

    async def delete_alias(self, alias: str) -> None:
        """Forget an alias; its models stay."""
        ...

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        """Create a template, or replace it in one step. ModelBusyError where ``etag`` is stale."""
        ...

    async def get_template(self, template: str) -> PromptTemplate:
        """One template; ResourceNotFoundError where there is none."""
        ...

    async def list_templates(self) -> Sequence[PromptTemplate]:
        """All templates in the order of their ids."""
        ...

    async def delete_template(self, template: str) -> None:
        """Forget a template."""
        ...

    async def get_config(self) -> Mapping[str, Any]:
        """The configuration in force, nested, with snake_case keys."""
        ...

    async def update_config(self, changes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Change what may change while running; the rest is InvalidConfigError."""
        ...

    async def get_status(self) -> Status:
        """What the service does now."""
        ...

    async def check_health(self) -> HealthReport:
        """Whether requests are taken."""
        ...

    async def close(self) -> None:
        """Cancel what runs and give everything back. May be called more than once."""
        ...
