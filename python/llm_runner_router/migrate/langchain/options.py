"""Further fields of a provider's API, which LangChain sends along with every request.

In LangChain what a call says counts before them; here the options of an endpoint count before a
request. So whatever a request may say becomes a default of the model instead, or is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_runner_router.migrate.langchain.claims import NOT_SET, Claims
from llm_runner_router.migrate.langchain.keys import is_key
from llm_runner_router.migrate.langchain.known_models import OPTIONS, PLACES
from llm_runner_router.migrate.langchain.node import secret_of
from llm_runner_router.migrate.leaves import below
from llm_runner_router.providers import anthropic_request
from llm_runner_router.providers.known import known as known_provider
from llm_runner_router.providers.openai_dialect import dialect_of
from llm_runner_router.providers.openai_request import NAMED, RESERVED

CONFIG = "config."
CONTEXT = "context_length"

SETTINGS: Mapping[str, str] = {
    name: place.removeprefix(CONFIG)
    for place, names in PLACES.items()
    if place.startswith(CONFIG)
    for name in names
}
"""The names of a model's settings, and the setting."""

OF_REQUESTS = frozenset(
    (
        *("tools", "tool_choice", "response_format", "output_config", "system"),
        *("logit_bias", "logprobs", "top_logprobs"),
    )
)
"""What a request says, and no setting of a model does."""

Given = Mapping[str, tuple[str, Any]]
"""Fields by name, each with its path and its value."""


def offers(provider: str, setting: str) -> bool:
    """Whether a model of ``provider`` may have a setting: its requests would be refused."""
    kind = known_provider(provider).kind
    if kind == "ollama" or setting == CONTEXT:
        return kind == "ollama"
    if kind == "anthropic":
        return setting not in anthropic_request.NOT_OFFERED
    dialect = dialect_of(provider)
    return setting not in dialect.refused and (setting not in NAMED or setting in dialect.names)


def settings_of(given: Given, provider: str, claims: Claims) -> dict[str, tuple[str, Any]]:
    """The settings of a model that stand among the options."""
    found: dict[str, tuple[str, Any]] = {}
    for name, path, value in inside(given):
        if not is_setting(name, provider):
            continue
        if value is None:
            claims.drop(path, value, NOT_SET)
        elif name in found:
            claims.drop(path, value, f"{found[name][0]} says it")
        else:
            found[name] = path, value
    return found


def options_of(given: Given, provider: str, claims: Claims) -> dict[str, Any]:
    """The others, as an endpoint has them; what could be a key is left out."""
    options: dict[str, Any] = {}
    for name, path, value in inside(given):
        if is_setting(name, provider):
            continue
        if is_key(name) or holds_secret(value):
            claims.drop(path, value, "a key is never taken over")
        elif name in RESERVED:
            claims.drop(path, value, "the router says it itself in every request")
        elif name in OF_REQUESTS:
            claims.drop(path, value, "requests say it; here it would replace what they say")
        else:
            options[name] = value
            claims.map(path, value, f"model.endpoint.options.{name}")
    return options


def left_to_requests(given: Given) -> list[str]:
    """What to tell of options that are left out, and that an answer may depend on."""
    return [
        f"{path} is left out: it would replace what requests say; say it in them"
        for name, path, _ in inside(given)
        if name in OF_REQUESTS
    ]


def inside(given: Given) -> Iterator[tuple[str, str, Any]]:
    """Name, path and value of each option."""
    for holder in OPTIONS:
        path, values = given.get(holder, ("", None))
        if isinstance(values, Mapping):
            yield from ((str(name), below(path, name), value) for name, value in values.items())


def is_setting(name: str, provider: str) -> bool:
    """Whether an option is a setting that a model of ``provider`` may have."""
    return name in SETTINGS and offers(provider, SETTINGS[name])


def holds_secret(value: object) -> bool:
    """Whether there is the mark of a secret anywhere in a value."""
    if isinstance(value, Mapping):
        return secret_of(value) is not None or any(map(holds_secret, value.values()))
    return isinstance(value, list) and any(map(holds_secret, value))
