"""The fields of a model that ListModels can filter and order by."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelView

Value = str | float | bool | tuple[str, ...] | None
"""What a field of a model holds; ``None`` where nothing is known."""

LABEL = "labels."


@dataclass(frozen=True, slots=True)
class ModelField:
    """How the field is read, and of which kind its values are."""

    name: str
    kind: type
    get: Callable[[ModelView], Value]

    def read(self, view: object) -> Value:
        """The field of a view."""
        return self.get(cast("ModelView", view))

    def read_value(self, text: str) -> Value:
        """A value as it stands in a filter; InvalidRequestError where it is of another kind."""
        if self.kind is bool:
            if text not in ("true", "false"):
                raise InvalidRequestError("filter", text, f"true or false for {self.name}")
            return text == "true"
        if self.kind is float:
            return number(self.name, text)
        return text


def number(name: str, text: str) -> float:
    """A finite number."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidRequestError("filter", text, f"a number for {name}")
    return value


def field_of(name: str, where: str) -> ModelField:
    """The field of that name; InvalidRequestError of ``where`` lists those that there are."""
    if name.startswith(LABEL) and len(name) > len(LABEL):
        key = name[len(LABEL) :]
        return ModelField(name, str, lambda view: view.record.labels.get(key))
    found = FIELDS.get(name)
    if found is None:
        allowed = f"a field of {', '.join(FIELDS)}, {LABEL}KEY"
        raise InvalidRequestError(where, name, allowed)
    return found


def version_of(view: ModelView) -> str:
    """What follows the ``@`` of an id."""
    return view.record.id.partition("@")[2]


def unknown(value: float) -> float | None:
    """A number of which 0 means that it is unknown."""
    return value or None


FIELDS: Mapping[str, ModelField] = {
    field.name: field
    for field in (
        ModelField("id", str, lambda view: view.record.id),
        ModelField("name", str, lambda view: view.record.name),
        ModelField("version", str, version_of),
        ModelField("format", str, lambda view: view.record.format.value),
        ModelField("source", str, lambda view: view.record.source),
        ModelField("provider", str, lambda view: view.record.provider),
        ModelField("owner", str, lambda view: view.record.owner),
        ModelField("capabilities", tuple, lambda view: tuple(view.record.capabilities)),
        ModelField("tags", tuple, lambda view: tuple(view.record.tags)),
        ModelField("quality", float, lambda view: view.record.quality),
        ModelField("loaded", bool, lambda view: view.loaded),
        ModelField("pinned", bool, lambda view: bool(view.record.config.pinned)),
        ModelField("architecture", str, lambda view: view.details.architecture),
        ModelField("parameters", float, lambda view: unknown(view.details.parameters)),
        ModelField("file_bytes", float, lambda view: unknown(view.details.file_bytes)),
        ModelField("created", float, lambda view: view.record.created),
        ModelField("updated", float, lambda view: view.record.updated),
    )
}
