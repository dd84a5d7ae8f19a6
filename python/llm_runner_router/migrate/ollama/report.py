"""What became of each model, for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_runner_router.migrate.ollama.registration import Fate, Line


def report(lines: Sequence[Line], *, dry_run: bool) -> dict[str, Any]:
    """A JSON object; ``changed`` is what was done, or with ``dryRun`` what would be."""
    return {
        "dryRun": dry_run,
        "changed": any(line.changes for line in lines),
        "failed": sum(line.fate is Fate.FAILED for line in lines),
        "models": [
            {
                "name": line.name,
                "result": line.fate.value,
                "id": line.id or None,
                "runs": None if line.way is None else line.way.value,
                "source": line.source,
                "alias": line.alias,
                "notes": list(line.notes),
            }
            for line in lines
        ],
    }
