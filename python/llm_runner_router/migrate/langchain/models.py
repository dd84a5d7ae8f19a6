"""LangChain's models as records of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.errors import FieldError, InvalidRequestError
from llm_runner_router.migrate.langchain.claims import NOT_SET, Claims
from llm_runner_router.migrate.langchain.keys import is_key, key_of
from llm_runner_router.migrate.langchain.known_models import (
    MODELS,
    NO_LIMIT,
    OPTIONS,
    PLACES,
    KnownModel,
)
from llm_runner_router.migrate.langchain.node import Node, secret_of
from llm_runner_router.migrate.leaves import below
from llm_runner_router.registry.checks.model import checked_record
from llm_runner_router.registry.records import Endpoint, ModelConfig, ModelRecord
from llm_runner_router.types import ModelFormat

WORDS = {
    "n": "one answer a request",
    "streaming": "every request may be streamed",
    "request_timeout": "the service and the caller set time limits",
    "timeout": "the service and the caller set time limits",
    "max_retries": "the service's routing decides",
    "default_headers": "headers may hold keys: set the endpoint's own",
}
"""What to say of fields that have no place."""

Given = Mapping[str, tuple[str, Any]]
"""Fields by name, each with its path and its value."""


@dataclass(frozen=True, slots=True)
class Model:
    """A record without an id (it is ``-``). Claims belong to the part ``model``."""

    record: ModelRecord
    claims: Claims
    notes: Sequence[str] = ()


def model_of(node: Node, bound: Given, system: str = "") -> Model:
    """The model that a node is.

    ``bound`` are fields that were bound to it and count before its own. InvalidRequestError names a
    value that cannot be, by its path.
    """
    known, claims = MODELS[node.kind], Claims()
    given = {name: (node.at(name), value) for name, value in node.fields.items()} | dict(bound)
    values = {place: taken(given, names, claims, place) for place, names in PLACES.items()}
    source = values["source"] or known.usual
    if not isinstance(source, str) or not source:
        raise InvalidRequestError(node.at("model"), source, f"the name of a {node.kind} model")
    endpoint = section(values, "endpoint")
    reference, key_notes = key_of(given, known, endpoint.get("base_url"), claims)
    record = ModelRecord(
        id="-",
        name=source,
        format=ModelFormat.API,
        source=source,
        provider=known.provider,
        config=ModelConfig(**section(values, "config"), system=system or None),
        endpoint=Endpoint(**endpoint, api_key=reference, options=options_of(given, claims)),
    )
    claims.head(node, "model")
    for name, why in WORDS.items():
        if name in given:
            claims.drop(*given[name], why)
    notes = [*notes_of(node, known, named=bool(values["source"])), *key_notes]
    return Model(checked(node.path, record), claims, notes)


def taken(given: Given, names: Sequence[str], claims: Claims, place: str) -> Any:  # noqa: ANN401
    """The value of the first of ``names`` that says something; ``None``: none does."""
    found: Any = None
    for name in names:
        if name not in given:
            continue
        path, value = given[name]
        if value is None:
            claims.drop(path, value, NOT_SET)
        elif place == "config.max_tokens" and value == NO_LIMIT:
            claims.drop(path, value, "-1: no limit")
        elif found is None:
            found = [value] if place == "config.stop" and isinstance(value, str) else value
            claims.map(path, value, f"model.{place}")
        elif found == value:
            claims.map(path, value, f"model.{place}", "said twice")
        else:
            claims.drop(path, value, f"{names[0]} or another name says something else")
    return found


def section(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The values of a section of a record that say something."""
    return {
        place.partition(".")[2]: value
        for place, value in values.items()
        if place.startswith(f"{name}.") and value is not None
    }


def options_of(given: Given, claims: Claims) -> dict[str, Any]:
    """Further fields of the provider's API; what could be a key is left out."""
    options: dict[str, Any] = {}
    for name in OPTIONS:
        path, values = given.get(name, ("", None))
        if not isinstance(values, Mapping):
            continue
        for key, value in values.items():
            if is_key(key) or holds_secret(value):
                claims.drop(below(path, key), value, "a key is never taken over")
            else:
                options[key] = value
                claims.map(below(path, key), value, f"model.endpoint.options.{key}")
    return options


def holds_secret(value: object) -> bool:
    """Whether there is the mark of a secret anywhere in a value."""
    if isinstance(value, Mapping):
        return secret_of(value) is not None or any(map(holds_secret, value.values()))
    return isinstance(value, list) and any(map(holds_secret, value))


def checked(path: str, record: ModelRecord) -> ModelRecord:
    """A record with values that can be; else InvalidRequestError, with the path of the model."""
    try:
        return checked_record(record)
    except FieldError as error:
        raise InvalidRequestError(below(path, error.field), error.value, error.allowed) from None


def notes_of(node: Node, known: KnownModel, *, named: bool) -> list[str]:
    """What the user should know."""
    notes = []
    where = node.path or "the top"
    if not named:
        notes.append(f"{where}: no model is named; {known.usual} is what LangChain takes")
    if known.plain:
        notes.append(
            f"{where}: {node.kind} goes on from texts; here a template makes a message of the "
            "user (LLMRouterLLM of compat.langchain sends texts as they are)"
        )
    return notes
