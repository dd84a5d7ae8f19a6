"""The parameters of an old model: settings that we know, under one of their names, and others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel, to_snake

from llm_runner_router.migrate.draft import Draft
from llm_runner_router.migrate.leaves import below
from llm_runner_router.old.model_names import OTHER_SETTINGS, PARAMETERS
from llm_runner_router.old.model_settings import meant
from llm_runner_router.registry.file_fields import CONFIG

NO_OBJECT = "no object of parameters: nothing reads it"
TAKEN = "says something else than the model's own setting, which stays"
UNKNOWN = "no setting of this version"


def move_parameters(draft: Draft) -> None:
    """Let the model's configuration have the parameters, without what it says otherwise already.

    What must stay does so under ``parameters``, and is told.
    """
    parameters = draft.taken(PARAMETERS)
    if parameters is None:
        return
    if not isinstance(parameters, Mapping):
        draft.keep(PARAMETERS, (PARAMETERS,), parameters, NO_OBJECT)
        draft.notes.append(f"{draft.where}.{PARAMETERS}: {NO_OBJECT}")
    elif not parameters:
        draft.drop(PARAMETERS, "empty")
    else:
        for key, value in parameters.items():
            move_parameter(draft, key, value)


def move_parameter(draft: Draft, key: str, value: Any) -> None:  # noqa: ANN401 - any JSON
    """Let the configuration have one parameter, unless it says something else already."""
    source, name = below(PARAMETERS, key), setting_of(key)
    value = value if name is None else meant(to_snake(name), value)
    target = ("config", key if name is None else name)
    single = name == "stop" and isinstance(value, str)
    if value is not None and not draft.is_free(target, [value] if single else value):
        draft.keep(source, (PARAMETERS, key), value, TAKEN)
        draft.notes.append(f"{draft.where}.{source}: {TAKEN}")
    elif name is None:
        draft.keep(source, target, value, UNKNOWN)
    elif single:
        draft.put_single(source, target, value)
    else:
        draft.put(source, target, value)


def setting_of(key: str) -> str | None:
    """The setting that is called so, as files spell it."""
    name = CONFIG.names.get(key)
    return OTHER_SETTINGS.get(key) if name is None else to_camel(name)
