from __future__ import annotations

from llm_runner_router.config.tree import known_keys
from llm_runner_router.old.settings import OLD_SETTINGS


def test_every_old_setting_has_a_place() -> None:
    assert {".".join(place) for place in OLD_SETTINGS.values()} <= set(known_keys())
    assert len(set(OLD_SETTINGS.values())) == len(OLD_SETTINGS)
