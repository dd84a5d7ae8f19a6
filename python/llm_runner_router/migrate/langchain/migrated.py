"""A file of LangChain as a registry file of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llm_runner_router.errors import FieldError, InvalidRequestError
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.json_file import read_json
from llm_runner_router.migrate.langchain.chains import Link, Step, links_of
from llm_runner_router.migrate.langchain.claims import Claims, Ledger
from llm_runner_router.migrate.langchain.finds import Finds
from llm_runner_router.migrate.langchain.left_out import left_out
from llm_runner_router.migrate.langchain.models import Model, model_of
from llm_runner_router.migrate.langchain.node import Node
from llm_runner_router.migrate.langchain.prompts import Prompt, prompt_of
from llm_runner_router.migrate.langchain.template_text import written
from llm_runner_router.registry.records import ModelRecord, ModelView, PromptTemplate
from llm_runner_router.registry.registry_file import exported

MAX_BYTES = 4 << 20
MAX_LINKS = 1000


@dataclass(frozen=True, slots=True)
class Migrated:
    """Templates and models, the fate of every leaf of the file, and what the user should know.

    ``refused`` says of each prompt and model that could not be taken over why. Of a chain the
    template is meant for its model.
    """

    templates: Sequence[PromptTemplate]
    models: Sequence[ModelRecord]
    fields: Sequence[Field]
    notes: Sequence[str] = ()
    refused: Sequence[str] = ()

    @property
    def registry(self) -> bytes:
        """A registry file with all of it."""
        return exported([ModelView(model) for model in self.models], self.templates, {})


@dataclass(slots=True)
class Reading:
    """What has been found so far in a document; ``name`` is that of templates without one."""

    name: str
    ledger: Ledger
    finds: Finds = field(default_factory=Finds)
    notes: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def take(self, link: Link) -> None:
        """Add a prompt and its model."""
        prompt = None if link.prompt is None else self._prompt(link.prompt)
        bound, stops = dict(link.model.bound) if link.model else {}, None
        if prompt is not None:
            stops = bound.pop("stop", None)
        model = None if link.model is None else self._model(link.model, bound, prompt)
        places: dict[str, str] = {}
        fitting: Sequence[str] = ()
        if model is not None:
            place = self.finds.add_model(model.record)
            places["model"], fitting = f"models[{place}]", [self.finds.models[place].id]
        if prompt is not None and link.prompt is not None:
            places |= self._template(link.prompt, prompt, fitting, stops)
        self._enter(link, prompt, model, stops, places)

    def _enter(
        self,
        link: Link,
        prompt: Prompt | None,
        model: Model | None,
        stops: tuple[str, object] | None,
        places: dict[str, str],
    ) -> None:
        claims = Claims()
        if stops is not None:
            claims.map(*stops, "template.stopTokens")
        for frame in link.frames:
            claims.head(frame, next(iter(places), ""))
        for one in (prompt, model):
            if one is not None:
                claims.made += one.claims.made
                self.notes += one.notes
        self.ledger.enter(claims.made, places)

    def _prompt(self, node: Node) -> Prompt | None:
        try:
            return prompt_of(node)
        except InvalidRequestError as error:
            self._refuse(node, error)
            return None

    def _model(
        self, step: Step, bound: Mapping[str, tuple[str, object]], prompt: Prompt | None
    ) -> Model | None:
        try:
            return model_of(step.node, bound, prompt.system if prompt else "")
        except InvalidRequestError as error:
            self._refuse(step.node, error)
            return None

    def _template(
        self,
        node: Node,
        prompt: Prompt,
        fitting: Sequence[str],
        stops: tuple[str, object] | None,
    ) -> dict[str, str]:
        """The place of the template that a prompt makes, where it can be one."""
        name = node.fields.get("name")
        try:
            template = PromptTemplate(
                id=name if isinstance(name, str) and name.strip() else self.name,
                format=written(prompt.pieces),
                stop_tokens=stop_tokens(stops),
                model_compatibility=fitting,
            )
            return {"template": f"templates[{self.finds.add_template(template)}]"}
        except InvalidRequestError as error:
            self._refuse(node, error)
            return {}

    def _refuse(self, node: Node, error: FieldError) -> None:
        self.refused.append(f"{node.kind} at {node.path or 'the top'}: {error.message}")
        self.ledger.say(node.path, node.value, Fate.UNMAPPED, note=f"not possible: {error.allowed}")


def stop_tokens(stops: tuple[str, object] | None) -> Sequence[str]:
    """What was bound to a model as its stop strings."""
    if stops is None or stops[1] is None:
        return ()
    path, value = stops
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list):
        raise InvalidRequestError(path, value, "a list of strings")
    return value


def migrated_langchain(data: bytes, where: str, name: str) -> Migrated:
    """The templates and models in the content of the file ``where``.

    Reads JSON of ``langchain_core.load.dumps`` or of the older ``save``; nothing in it is made or
    run. ``name`` is the id of a template that has no name. InvalidConfigError where it is no such
    JSON, InvalidRequestError where it holds neither prompts nor models.
    """
    document = read_json(where, data, MAX_BYTES).content
    reading = Reading(name, Ledger(document))
    links = list(links_of(document))
    if not 0 < len(links) <= MAX_LINKS:
        allowed = f"1 to {MAX_LINKS} prompts and models of LangChain, as its dumps writes them"
        raise InvalidRequestError(where, len(links), allowed)
    for link in links:
        reading.take(link)
    return Migrated(
        templates=tuple(reading.finds.templates),
        models=tuple(reading.finds.models),
        fields=reading.ledger.finished(),
        notes=(*reading.notes, *left_out(document, reading.ledger)),
        refused=tuple(reading.refused),
    )
