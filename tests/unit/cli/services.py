"""A service that a command believes to talk to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from click.testing import Result
from typer.testing import CliRunner

from llm_runner_router.cli import app
from llm_runner_router.decision import Decision
from llm_runner_router.errors import ResourceNotFoundError, RouterError
from llm_runner_router.registry.records import (
    Alias,
    ImportReport,
    ModelPage,
    ModelQuery,
    ModelRecord,
    ModelView,
    PromptTemplate,
    PullProgress,
    UsageQuery,
    UsageRow,
)
from llm_runner_router.types import ModelFormat, Request


class FakeService:
    """Stands for RemoteBackend: keeps what it is asked, and answers what a test gave it."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.targets: list[str] = []
        self.open = 0
        self.failure: RouterError | None = None
        self.aliases: list[Alias] = []
        self.templates: list[PromptTemplate] = []
        self.rows: list[UsageRow] = []
        self.decision = Decision("m")
        self.record: ModelRecord | None = None

    def __call__(self, target: str, **settings: Any) -> FakeService:
        del settings
        self.targets.append(target)
        return self

    async def initialize(self) -> None:
        self.open += 1

    async def close(self) -> None:
        self.open -= 1

    def note(self, *asked: Any) -> None:
        if self.failure is not None:
            raise self.failure
        self.asked.append(asked if len(asked) > 1 else asked[0])

    async def register_model(self, record: ModelRecord) -> ModelView:
        self.note(record)
        return ModelView(record)

    async def update_model(self, record: ModelRecord, fields: Sequence[str]) -> ModelView:
        self.note(record, fields)
        return ModelView(record)

    async def get_model(self, model: str) -> ModelView:
        record: ModelRecord = self.asked[-1]
        assert record.id == model
        return ModelView(record)

    async def list_models(self, query: ModelQuery) -> ModelPage:
        self.note(query)
        more = "" if query.page_token else "next"
        return ModelPage([ModelView(self.record)] if self.record else [], more)

    async def pull_model(
        self, source: str, model: str, on_progress: Callable[[PullProgress], None]
    ) -> ModelView:
        self.note(source, model)
        on_progress(PullProgress("downloading", "a.gguf", 5, 10, 2.5, 2.0))
        on_progress(PullProgress("done", note="no \x1b[31madapter"))
        return ModelView(ModelRecord(model or "made", "", ModelFormat.GGUF, source or "hf://o/r"))

    async def import_registry(self, document: bytes, *, replace: bool) -> ImportReport:
        self.note(document, replace)
        return ImportReport(("model a",), ("model b",), ("template c",))

    async def export_registry(self) -> bytes:
        return b'{"version": "1.2.0"}\n'

    async def set_alias(self, alias: Alias) -> Alias:
        self.note(alias)
        return alias

    async def get_alias(self, alias: str) -> Alias:
        found = [known for known in self.aliases if known.id == alias]
        if not found:
            raise ResourceNotFoundError("alias", alias)
        return found[0]

    async def list_aliases(self) -> Sequence[Alias]:
        return self.aliases

    async def delete_alias(self, alias: str) -> None:
        self.note("delete", alias)

    async def set_template(self, template: PromptTemplate) -> PromptTemplate:
        self.note(template)
        return template

    async def get_template(self, template: str) -> PromptTemplate:
        found = [known for known in self.templates if known.id == template]
        if not found:
            raise ResourceNotFoundError("template", template)
        return found[0]

    async def list_templates(self) -> Sequence[PromptTemplate]:
        return self.templates

    async def delete_template(self, template: str) -> None:
        self.note("delete", template)

    async def get_usage(self, query: UsageQuery) -> Sequence[UsageRow]:
        self.note(query)
        return self.rows

    async def route(self, request: Request) -> Decision:
        self.note(request)
        return self.decision


def run(*arguments: str) -> Result:
    """The command, with a terminal that is wide enough for its tables."""
    return CliRunner(env={"COLUMNS": "220", "LLM_ROUTER_TARGET": ""}).invoke(app, arguments)


def lines(result: Result) -> list[list[str]]:
    """The cells of the tables' lines."""
    rows = [line for line in result.output.splitlines() if line[:1] in "│┃"]
    return [[cell.strip() for cell in line.replace("┃", "│").split("│")[1:-1]] for line in rows]
