from __future__ import annotations

import json

from llm_runner_router.migrate.ollama.model import FoundModel, Way
from llm_runner_router.migrate.ollama.registration import Fate, Line
from llm_runner_router.migrate.ollama.report import report
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat

RECORD = ModelRecord("m:latest", "m", ModelFormat.GGUF, "ollama://m:latest")


def test_programs_read_what_became_of_each() -> None:
    lines = [
        Line(
            "m:latest", Fate.ADDED, "m:latest", Way.IN_PLACE, "m", ("n",),
            FoundModel(RECORD, Way.IN_PLACE),
        ),
        Line("x:1", Fate.FAILED, notes=("why",)),
    ]  # fmt: skip
    assert json.loads(json.dumps(report(lines, dry_run=True))) == {
        "dryRun": True,
        "changed": True,
        "failed": 1,
        "models": [
            {
                "name": "m:latest",
                "result": "added",
                "id": "m:latest",
                "runs": "in place",
                "source": "ollama://m:latest",
                "alias": "m",
                "notes": ["n"],
            },
            {
                "name": "x:1",
                "result": "failed",
                "id": None,
                "runs": None,
                "source": None,
                "alias": None,
                "notes": ["why"],
            },
        ],
    }
    assert not report(lines[1:], dry_run=False)["changed"]
