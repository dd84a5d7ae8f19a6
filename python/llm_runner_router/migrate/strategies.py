"""The routing of an old registry, as the strategies of a registry file of 1.2."""

from __future__ import annotations

from collections.abc import Mapping

from llm_runner_router.migrate.draft import Draft
from llm_runner_router.migrate.leaves import below
from llm_runner_router.migrate.transformed import UNMAPPED

OLD, NEW = "routing", "strategies"

NO_OBJECT = "no object of strategies; that of requests is routing.strategy of the configuration"


def move_strategies(draft: Draft) -> None:
    """Let the file have the old routing as its strategies, key by key.

    InvalidRequestError names both where a file has both and they differ.
    """
    own, old = draft.taken(NEW), draft.taken(OLD)
    if isinstance(own, Mapping) and own:
        for key, value in own.items():
            draft.put(below(NEW, key), (NEW, key), value)
    elif own is not None:
        draft.put(NEW, (NEW,), own)
    if isinstance(old, Mapping) and old:
        for key, value in old.items():
            draft.put(below(OLD, key), (NEW, key), value)
    elif isinstance(old, Mapping):
        draft.drop(OLD, "empty")
    elif old is not None:
        draft.keep(OLD, (UNMAPPED, OLD), old, NO_OBJECT)
        draft.notes.append(f"{OLD}: {NO_OBJECT}; it is kept under {UNMAPPED}.{OLD}")
