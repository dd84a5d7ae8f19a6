"""A plan in words: a diff of every file, and the fate of every value. Secrets are not shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from difflib import unified_diff
from pathlib import PurePosixPath
from typing import Any

from llm_runner_router.migrate.fields import Field
from llm_runner_router.migrate.json_file import MARK
from llm_runner_router.migrate.plan import Change, MoveFile, Plan, WriteFile
from llm_runner_router.migrate.project import ENVIRONMENT
from llm_runner_router.migrate.secret_shapes import without_secrets
from llm_runner_router.migrate.secret_text import shown_environment, shown_json, shown_name
from llm_runner_router.migrate.versions import Version

MAX_LINES = 5000
"""Of a file whose diff is shown: comparing takes longer than anybody reads."""


def diff_of(write: WriteFile) -> str:
    """What changes in a file, as a unified diff."""
    before, after = lines_of(write.path, write.before or b""), lines_of(write.path, write.after)
    if max(len(before), len(after)) > MAX_LINES:
        return f"{write.path}: {len(before)} lines become {len(after)}, too many to show\n"
    old = str(write.path) if write.before is not None else "/dev/null"
    lines = unified_diff(before, after, old, str(write.path))
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def lines_of(path: PurePosixPath, data: bytes) -> Sequence[str]:
    """The lines of a file, without its secrets; JSON that stands in one line is laid out."""
    text = data.decode(errors="replace")
    if path != ENVIRONMENT and text and "\n" not in text.strip():
        content = json.loads(text.removeprefix(MARK))
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
    if text.count("\n") <= MAX_LINES:
        text = shown(path, text)
    return re.findall(r"[^\n]*\n|[^\n]+", text.replace("\r\n", "\n"))


def shown(path: PurePosixPath, text: str) -> str:
    """A file without its secrets."""
    if path == ENVIRONMENT:
        return shown_environment(text)
    return shown_json(text) if text else ""


def fields_of(write: WriteFile) -> Sequence[Field]:
    """The fate of each value of a file; what looks like a secret in its place is not shown."""
    shown_place = shown_name if write.path == ENVIRONMENT else without_secrets
    return [
        replace(
            field,
            path=shown_place(field.path),
            target=shown_place(field.target),
            note=without_secrets(field.note),
        )
        for field in write.fields
    ]


def counts(fields: Sequence[Field]) -> str:
    """How many values have which fate, in words."""
    fates = [field.fate.value for field in fields]
    return ", ".join(f"{fates.count(fate)} {fate}" for fate in dict.fromkeys(fates))


def field_line(field: Field) -> str:
    """The fate of one value, in a line."""
    places = f"{field.path} → {field.target}"
    if field.path == field.target or not field.target:
        places = field.path
    elif not field.path:
        places = field.target
    note = f"  ({field.note})" if field.note else ""
    return f"{field.fate.value:<8}  {places}{note}"


def as_json(plan: Plan) -> dict[str, Any]:
    """A plan for programs. Keys stay as they are; others may come.

    ``folder``, ``source``, ``target``; ``nothingToDo``; ``changes``: each with ``kind`` (``write``
    or ``move``) and ``path``, a write with ``new``, ``diff`` and ``fields`` (``path``, ``fate``,
    ``target``, ``note``), a move with ``target``; ``config``, ``registry`` and ``database``: paths
    below the folder, or ``null``; ``notes``.
    """
    files = {"config": plan.config, "registry": plan.registry, "database": plan.database}
    return {
        "folder": str(plan.folder),
        "source": plan.source,
        "target": Version.V1_2.value,
        "nothingToDo": not plan.changes,
        "changes": [change_json(change) for change in plan.changes],
        **{key: None if path is None else str(path) for key, path in files.items()},
        "notes": list(plan.notes),
    }


def change_json(change: Change) -> Mapping[str, Any]:
    """A change for programs."""
    if isinstance(change, MoveFile):
        return {"kind": "move", "path": str(change.path), "target": str(change.target)}
    return {
        "kind": "write",
        "path": str(change.path),
        "new": change.before is None,
        "diff": diff_of(change),
        "fields": [asdict(field) for field in fields_of(change)],
    }
