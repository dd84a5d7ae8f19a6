"""What is not as at Ollama any more of a model that is registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from llm_runner_router.migrate.ollama.identity import names_weights
from llm_runner_router.migrate.ollama.model import FoundModel
from llm_runner_router.registry.records import ModelConfig, ModelRecord
from llm_runner_router.registry.sources.source_settings import (
    LABEL,
    followed,
    is_marked,
    named,
)

PATHS = ("config", "labels", "source")
"""The fields of a record that may change by it."""

CHANGED, UNLIKE = "changed at Ollama", "not as at Ollama"
OWN = "; the record was changed here too, and stays"
STAYS = "; the record stays"
UNKNOWN = "; the record stays, since nobody can tell who changed what"


@dataclass(frozen=True, slots=True)
class Changes:
    """``record`` is what a registered model becomes, with its etag; ``None``: it stays.

    ``notes`` say in words what Ollama has otherwise.
    """

    record: ModelRecord | None = None
    notes: Sequence[str] = ()


def changes_of(present: ModelRecord, model: FoundModel) -> Changes:
    """What is to be done with the record of a model, and what is only to be told.

    A setting that the record still has from Ollama goes on with it; what was changed in the record
    stays. Of a model that somebody else runs than was found nothing can be said.
    """
    wanted = model.record
    if present.format is not wanted.format:
        return Changes()
    facts = facts_unlike(present, wanted)
    if not is_marked(present):
        names = [*settings_unlike(present, wanted), *facts]
        return Changes(None, tuple(told(UNLIKE, names, UNKNOWN)))
    found = followed(present, wanted.config)
    moved = names_weights(present, model) and present.source != str(model.weights)
    record = replace(found.record, source=str(model.weights)) if moved else found.record
    changed = [*named(found.changed), *(["weights"] if moved else [])]
    notes = (
        *told(CHANGED, changed),
        *told(CHANGED, named(found.left), OWN),
        *told(UNLIKE, facts, STAYS),
        *(model.notes if changed else ()),
    )
    return Changes(None if record == present else record, notes)


def told(begin: str, names: Sequence[str], then: str = "") -> list[str]:
    """A line on some names, where there are any."""
    return [f"{begin}: {', '.join(names)}{then}"] if names else []


def settings_unlike(present: ModelRecord, wanted: ModelRecord) -> list[str]:
    """The settings that Ollama says, where the record says otherwise."""
    others = followed(replace(present, config=ModelConfig()), wanted.config).changed
    return named(
        [one for one in others if getattr(present.config, one) != getattr(wanted.config, one)]
    )


def facts_unlike(present: ModelRecord, wanted: ModelRecord) -> list[str]:
    """What else Ollama knows of a model, where the record says otherwise."""
    labels = [
        f"labels.{key}"
        for key, value in wanted.labels.items()
        if key != LABEL and present.labels.get(key, value) != value
    ]
    same = tuple(present.capabilities) == tuple(wanted.capabilities)
    return [*([] if same else ["capabilities"]), *labels]
