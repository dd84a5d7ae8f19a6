"""The templates and the models that a file holds, each under an id of its own."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from llm_runner_router.registry.checks.template import checked_template
from llm_runner_router.registry.records import ModelRecord, PromptTemplate
from llm_runner_router.validation.request import MAX_MODEL_ID

ROOM = 8
"""Characters that are left for a number."""


@dataclass(slots=True)
class Finds:
    """Grows while a file is read. Methods give the place of what they add."""

    models: list[ModelRecord] = field(default_factory=list)
    templates: list[PromptTemplate] = field(default_factory=list)

    def add_model(self, record: ModelRecord) -> int:
        """A record without an id, which gets the name of its model; equal ones are one."""
        for place, present in enumerate(self.models):
            if replace(present, id=record.id, name=record.name) == record:
                return place
        name = free(record.source.replace("@", "-"), [model.id for model in self.models])
        self.models.append(replace(record, id=name, name=name))
        return len(self.models) - 1

    def add_template(self, template: PromptTemplate) -> int:
        """A template, whose id gets a number where it is taken; InvalidRequestError: not usable."""
        name = free(template.id, [present.id for present in self.templates])
        self.templates.append(checked_template(replace(template, id=name)))
        return len(self.templates) - 1


def free(wanted: str, taken: Collection[str]) -> str:
    """``wanted`` as an id, with a number where it is taken."""
    printable = "".join(letter for letter in wanted if letter.isprintable()).strip()
    name = printable[: MAX_MODEL_ID - ROOM].strip() or "langchain"
    number, result = 1, name
    while result in taken:
        number += 1
        result = f"{name}-{number}"
    return result
