"""Records of models from mappings, as they stand in registry files and in programs of v1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.old.deprecation import warn_old
from llm_runner_router.old.model_names import FIELDS, MEASURED_NOW, PARAMETERS, SETTINGS
from llm_runner_router.record_fields import ModelFields, Source, record_of
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.request_values import check_names, named, snake

MODEL_FIELDS = frozenset({"id", "source", *ModelFields.__annotations__})

PERFORMANCE = "performance"
NO_FIELD = "_"
"""What keys of a registry file begin with that are kept there, and say nothing of the model."""

CALLED_NOW: Mapping[str, str] = {
    **{snake(old): new for old, new in FIELDS.items()},
    **{snake(old): f"config.{snake(new)}" for old, new in SETTINGS.items()},
    PARAMETERS: "config",
}


def record_of_mapping(model: object, source: Source, values: Mapping[str, Any]) -> ModelRecord:
    """The record that ``model`` says, with ``source`` and ``values`` on top of it.

    Keys may be spelled in camelCase. A ``performance`` that was declared warns and sets nothing.
    InvalidRequestError names what is missing or not known.
    """
    said = named(model, "model", "the fields of a model by name")
    given = {**{key: said[key] for key in said if not key.startswith(NO_FIELD)}, **values}
    drop_performance(given)
    check_present(given)
    check_names(given, MODEL_FIELDS, "model.")
    identity, own = given.pop("id", None), given.pop("source", None)
    if not isinstance(identity, str):
        raise InvalidRequestError("model.id", identity, "the id of the model")
    return record_of(identity, own if source is None else source, cast("ModelFields", given))


def drop_performance(given: dict[str, Any]) -> None:
    """Take out what registry files have of a model beside its own fields."""
    declared = given.pop(PERFORMANCE, None)
    empty = isinstance(declared, Mapping) and all(one is None for one in declared.values())
    if declared is not None and not empty:
        warn_old(PERFORMANCE, MEASURED_NOW)


def check_present(given: Mapping[str, Any]) -> None:
    """No field under a name of older versions, of which this one tells today's."""
    for old, new in CALLED_NOW.items():
        if old in given:
            raise InvalidRequestError.unknown(f"model.{old}", f"{new}, as it is called now")
