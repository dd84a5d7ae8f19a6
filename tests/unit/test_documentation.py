"""The pages in docs/ say what the code says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

from llm_runner_router.config import SECTIONS

DOCS = Path(__file__).parents[2] / "docs"


def allowed(field: FieldInfo) -> str:
    """What a setting takes, as its error says."""
    assert isinstance(field.json_schema_extra, dict)
    return str(field.json_schema_extra["allowed"])


@pytest.mark.parametrize("name", SECTIONS)
def test_every_setting_stands_in_its_table(name: str) -> None:
    page = (DOCS / "configuration.md").read_text(encoding="utf-8")
    table = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    defaults = SECTIONS[name]().model_dump(mode="json", by_alias=True)
    wanted = [
        f"| `{to_camel(key)}` | `{json.dumps(defaults[to_camel(key)])}` | {allowed(field)} |"
        f" {field.description} |"
        for key, field in SECTIONS[name].model_fields.items()
    ]
    assert rows == wanted
