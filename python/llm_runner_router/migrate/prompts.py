"""The prompts of an old registry, as templates of a registry file of 1.2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.draft import (
    OLD_DEFAULT,
    Draft,
    MigratedEntry,
    is_set,
    unchanged,
)
from llm_runner_router.migrate.prompt_text import migrated_text
from llm_runner_router.migrate.record_names import identity, move_names
from llm_runner_router.old.model_names import SHOWN_NAME
from llm_runner_router.registry.file_fields import TEMPLATE

TEXT = "template"
STOP = "stop_tokens"
MODELS = "compatible_models"
OLD_KEYS = frozenset((SHOWN_NAME, TEXT, STOP, MODELS))
"""What only prompts of older versions have."""


def obstacle(old: object) -> str:
    """Why a prompt cannot become a template here; empty where it can."""
    if not isinstance(old, Mapping):
        return "is no object"
    if identity(old) is None:
        return "has neither a name nor an id"
    text = old[TEXT] if is_set(old.get(TEXT)) else old.get("format")
    if not isinstance(text, str) or not text:
        return "has no text"
    try:
        if is_set(old.get(TEXT)):
            migrated_text(text)
    except InvalidRequestError as error:
        return error.message
    return ""


def migrated_prompt(
    where: str, old: Mapping[str, Any], ids: Mapping[str, str] | None = None
) -> MigratedEntry:
    """A prompt for which there is no ``obstacle``, in the shape of 1.2.

    ``where`` is its place in the input; ``ids`` says which model is meant by an old name.
    InvalidRequestError where the prompt says one thing twice.
    """
    if is_set(old.get("id")) and not any(key in OLD_KEYS for key in old):
        return unchanged(old)
    draft = Draft(where, dict(old))
    draft.keep_unmapped()
    move_names(draft)
    move_text(draft)
    move_list(draft, STOP, "stopTokens", {})
    move_list(draft, MODELS, "modelCompatibility", ids or {})
    draft.move_rest(TEMPLATE.names)
    return draft.finished()


def move_text(draft: Draft) -> None:
    """The text, which stands under ``format`` where it is of our own shape already."""
    text = draft.taken(TEXT)
    if text is not None:
        migrated, note = migrated_text(text)
        draft.put(TEXT, ("format",), migrated, note)
        if note:
            draft.notes.append(f"{draft.where}.{TEXT}: {note}")
    own = draft.taken("format")
    if own is not None:
        draft.put("format", ("format",), own)


def move_list(draft: Draft, old: str, new: str, names: Mapping[str, str]) -> None:
    """A list of texts, or one of them; ``names`` says what to write for which."""
    for key in (old, new):
        said = draft.taken(key)
        if isinstance(said, str):
            draft.put_single(key, (new,), names.get(said, said))
        elif isinstance(said, list):
            renamed = [names.get(text, text) if isinstance(text, str) else text for text in said]
            draft.put(key, (new,), renamed, "" if renamed == said else "ids in place of names")
        elif said is not None:
            draft.put(key, (new,), said)
    draft.add((new,), [], OLD_DEFAULT)
