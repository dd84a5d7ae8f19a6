"""Records of models from mappings, as they stand in registry files and in programs of v1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.record_fields import ModelFields, Source, record_of
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.request_values import check_names, named

MODEL_FIELDS = frozenset({"id", "source", *ModelFields.__annotations__})


def record_of_mapping(
    model: Mapping[str, Any], source: Source, values: Mapping[str, Any]
) -> ModelRecord:
    """The record that ``model`` says, with ``source`` and ``values`` on top of it.

    Keys may be spelled in camelCase. InvalidRequestError names what is missing or not known.
    """
    given = {**named(model, "model", "the fields of a model by name"), **values}
    check_names(given, MODEL_FIELDS, "model.")
    identity, said = given.pop("id", None), given.pop("source", None)
    if not isinstance(identity, str):
        raise InvalidRequestError("model.id", identity, "the id of the model")
    return record_of(identity, said if source is None else source, cast("ModelFields", given))
