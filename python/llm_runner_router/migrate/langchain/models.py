"""LangChain's models as records of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_runner_router.errors import FieldError, InvalidRequestError
from llm_runner_router.migrate.langchain.claims import NOT_SET, Claims
from llm_runner_router.migrate.langchain.keys import key_of
from llm_runner_router.migrate.langchain.known_models import (
    MODELS,
    NO_LIMIT,
    PLACES,
    KnownModel,
)
from llm_runner_router.migrate.langchain.node import Node
from llm_runner_router.migrate.langchain.options import (
    SETTINGS,
    Given,
    left_to_requests,
    offers,
    options_of,
    settings_of,
)
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
    own = {name: (node.at(name), value) for name, value in node.fields.items()}
    options = options_of(own, known.provider, claims)
    given = over(own, settings_of(own, known.provider, claims), claims)
    given = offered(over(given, bound, claims), known.provider, claims)
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
        endpoint=Endpoint(**endpoint, api_key=reference, options=options),
    )
    claims.head(node, "model")
    for name, why in WORDS.items():
        if name in given:
            claims.drop(*given[name], why)
    notes = [*notes_of(node, known, named=bool(values["source"])), *key_notes]
    notes += left_to_requests(own)
    return Model(checked(node.path, record), claims, notes)


def offered(given: Given, provider: str, claims: Claims) -> dict[str, tuple[str, Any]]:
    """All but settings that the provider's API has nothing for."""
    found: dict[str, tuple[str, Any]] = {}
    for name, (path, value) in given.items():
        if value is None or name not in SETTINGS or offers(provider, SETTINGS[name]):
            found[name] = path, value
        else:
            claims.drop(path, value, "the provider's API does not offer it")
    return found


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


def over(given: Given, on_top: Given, claims: Claims) -> dict[str, tuple[str, Any]]:
    """Both. What ``on_top`` says counts, under whichever of a setting's names."""
    said = {SETTINGS.get(name, name): path for name, (path, value) in on_top.items()}
    both = dict(on_top)
    for name, (path, value) in given.items():
        first = said.get(SETTINGS.get(name, name))
        if first is None:
            both[name] = path, value
        else:
            claims.drop(path, value, f"{first} counts before it")
    return both


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
