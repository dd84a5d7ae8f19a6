"""What an unknown key of a configuration may be meant for."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.migrate.config import migrated_config


@pytest.mark.parametrize(
    ("old", "note"),
    [
        ({"perfomance": {"timeout": 1000}}, "no setting of today; the nearest is performance"),
        ({"headers": {"X-Custom": "a"}}, "no setting of today"),
        ({"logLevell": "info"}, "no setting of today; the nearest is logging.level"),
    ],
)
def test_what_may_be_meant_is_told(old: dict[str, Any], note: str) -> None:
    (field,) = migrated_config(old).fields
    assert field.note == note
