"""The id and the name of a record of an old registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_runner_router.migrate.draft import Draft, is_set
from llm_runner_router.migrate.transformed import UNMAPPED
from llm_runner_router.old.model_names import SHOWN_NAME


def identity(old: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """The id of a record: the one it has, else its name; ``None`` where it has neither."""
    return next((old[key] for key in ("id", "name") if is_set(old.get(key))), None)


def move_names(draft: Draft) -> None:
    """An id for good, and a name to show."""
    given, name, shown = map(draft.taken, ("id", "name", SHOWN_NAME))
    if given is None:
        draft.put("name", ("id",), name, "the id where there is no other")
    else:
        draft.put("id", ("id",), given)
    if shown is not None:
        draft.put(SHOWN_NAME, ("name",), shown)
    if given is not None and name is not None:
        if draft.is_free(("name",), name):
            draft.put("name", ("name",), name)
        else:
            draft.keep("name", (UNMAPPED, "name"), name, f"{SHOWN_NAME} is the name to show")
    draft.add(("name",), draft.entry["id"], "the id")
