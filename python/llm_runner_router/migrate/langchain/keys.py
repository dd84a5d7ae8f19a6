"""The keys of providers' accounts. Only where a key is found comes along, never a key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from llm_runner_router.migrate.langchain.claims import Claims
from llm_runner_router.migrate.langchain.known_models import KnownModel
from llm_runner_router.migrate.langchain.node import secret_of
from llm_runner_router.providers.known import PROVIDERS
from llm_runner_router.providers.known import known as known_provider
from llm_runner_router.providers.secrets import same_address
from llm_runner_router.registry.checks.endpoint import KEY_OPTION

REFERENCE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:KEY|TOKEN)")
"""Variables whose content may be sent to a provider: a file could name any other."""

CUSTOMARY = frozenset(provider.key_variable for provider in PROVIDERS.values())
"""The providers' own: no others go to an address that a file names."""

IN_CLEAR = "a key in clear is never taken over"


def is_key(name: object) -> bool:
    """Whether a field of that name would hold a key."""
    return KEY_OPTION.fullmatch(str(name).lower().replace("_", "-")) is not None


def may_go(variable: str, *, abroad: bool) -> bool:
    """Whether a variable's content may be sent; ``abroad``: to an address that the file names."""
    if abroad:
        return variable in CUSTOMARY
    return REFERENCE.fullmatch(variable) is not None


def key_of(
    given: Mapping[str, tuple[str, Any]], known: KnownModel, base_url: object, claims: Claims
) -> tuple[str | None, list[str]]:
    """The reference to the key (``None``: the provider's usual), and what the user should know."""
    usual = known_provider(known.provider).base_url
    abroad = base_url is not None and not same_address(str(base_url), usual)
    reference: str | None = None
    notes: list[str] = []
    for path, value in (field for name, field in given.items() if is_key(name)):
        variable = secret_of(value)
        if variable is None and value is not None:
            claims.drop(path, value, IN_CLEAR)
            notes.append(f"{path}: {IN_CLEAR}: put it into a variable of the service's environment")
        elif variable is not None and reference is None and may_go(variable, abroad=abroad):
            reference = f"env:{variable}"
            claims.map(path, value, "model.endpoint.api_key")
        elif variable is not None:
            claims.drop(path, value, "no variable that holds a key, or a second one")
    if reference is not None and abroad:
        notes.append(f"the key of {reference} goes to {base_url}")
    return reference, notes
