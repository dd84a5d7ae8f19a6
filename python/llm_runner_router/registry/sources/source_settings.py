"""What the source of a model says of it, in the model's record: taken over, and followed.

The label ``source_settings`` of a record holds a mark of each setting as the source had it when it
was taken over. A setting that still has its mark is the source's and goes on with it; any other is
the record's own, and stays.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic.alias_generators import to_camel

from llm_runner_router.registry.records import ModelConfig, ModelRecord

LABEL = "source_settings"
NO_MARKS = "-"
NAMES = tuple(field.name for field in fields(ModelConfig))
NOTHING: tuple[object, ...] = (None, ())


@dataclass(frozen=True, slots=True)
class Followed:
    """A record that has taken over what its source says now.

    ``changed`` are the settings that were taken over by that. ``left`` are those that have changed
    both at the source and in the record: it has its own.
    """

    record: ModelRecord
    changed: Sequence[str] = ()
    left: Sequence[str] = ()


def followed(record: ModelRecord, source: ModelConfig) -> Followed:
    """``record`` with the settings of ``source`` where it still says what that has said.

    Without the label nothing but gaps is filled: whose the other settings are cannot be told.
    """
    before, config = marks_of(record), record.config
    after: dict[str, str] = {}
    changed, left = list[str](), list[str]()
    for name in NAMES:
        own, said, mark = getattr(config, name), getattr(source, name), before.get(name, "")
        if own == said or mark_of(own) == mark:
            after[name] = mark_of(said)
            changed += [name] if (own, mark) != (said, after[name]) else []
        else:
            has_moved = is_marked(record) and mark != mark_of(said)
            after[name] = mark if has_moved else mark_of(said)
            left += [name] if has_moved else []
    taken = {name: getattr(source, name) for name in changed}
    marked = with_marks(replace(record, config=replace(config, **taken)), after)
    return Followed(marked, tuple(changed), tuple(left))


def is_marked(record: ModelRecord) -> bool:
    """Whether it is known which settings of a record were taken over."""
    return LABEL in record.labels


def named(settings: Sequence[str]) -> list[str]:
    """Settings as files spell them."""
    return [to_camel(name) for name in settings]


def mark_of(value: Any) -> str:  # noqa: ANN401 - any setting
    """What tells a setting from others, as far as a label has room; empty: it says nothing."""
    if value in NOTHING:
        return ""
    plain = list(value) if isinstance(value, tuple | list) else value
    text = json.dumps(float(plain) if type(plain) is int else plain)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def marks_of(record: ModelRecord) -> Mapping[str, str]:
    """The marks by setting; none where there is no label, or none that says anything."""
    pairs = [word.partition(":") for word in record.labels.get(LABEL, "").split()]
    return {name: mark for name, _, mark in pairs if name in NAMES and mark}


def with_marks(record: ModelRecord, marks: Mapping[str, str]) -> ModelRecord:
    """``record`` with a label of these marks."""
    text = " ".join(f"{name}:{mark}" for name, mark in marks.items() if mark)
    return replace(record, labels={**record.labels, LABEL: text or NO_MARKS})
