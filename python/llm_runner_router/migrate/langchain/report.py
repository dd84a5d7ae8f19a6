"""What has become of a file of LangChain, for programs and for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.langchain.migrated import Migrated
from llm_runner_router.migrate.report import counts, field_line

HEADS = ("lc", "type", "id", "name", "_type")
"""Keys that only say what an object is: people do not miss them."""


def as_json(migrated: Migrated) -> dict[str, Any]:
    """For programs: ``templates`` and ``models`` as a registry file has them, every field."""
    content = json.loads(migrated.registry)
    return {
        "templates": content["templates"],
        "models": content["models"],
        "fields": [asdict(field) for field in migrated.fields],
        "notes": list(migrated.notes),
        "refused": list(migrated.refused),
    }


def lines(migrated: Migrated) -> Iterator[str]:
    """For people: what there is, what is lost, what to do."""
    for template in migrated.templates:
        yield f"template {template.id}: {template.format}"
    for model in migrated.models:
        yield f"model {model.id}: {model.source} of {model.provider}"
    yield f"values of the file: {counts(migrated.fields)}"
    for field in lost(migrated.fields):
        yield f"  {field_line(field)}"
    for note in migrated.notes:
        yield f"note: {note}"
    for why in migrated.refused:
        yield f"not taken over: {why}"


def lost(fields: Sequence[Field]) -> Iterator[Field]:
    """Unmapped values that say something, but for those that tell what an object is."""
    for field in fields:
        key = field.path.rpartition(".")[2].partition("[")[0]
        if field.fate is Fate.UNMAPPED and key not in HEADS:
            yield field
