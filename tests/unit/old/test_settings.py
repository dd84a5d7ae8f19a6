from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.config.tree import known_keys
from llm_runner_router.old.settings import OLD_SETTINGS, old_value


def test_every_old_setting_has_a_place() -> None:
    assert {".".join(place) for place in OLD_SETTINGS.values()} <= set(known_keys())
    assert len(set(OLD_SETTINGS.values())) == len(OLD_SETTINGS)


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("enableCaching", 0, False),
        ("enableCaching", 1, True),
        ("enableCaching", "false", False),
        ("enableCaching", " TRUE ", True),
        ("autoDownload", "0", False),
        ("enableFallback", False, False),
        ("enableFallback", "", ""),
        ("enableFallback", 2, 2),
        ("enableFallback", "off", False),
        ("enableFallback", "maybe", "maybe"),
        ("cacheTTL", 0, 0),
        ("cacheTTL", "0", 0),
        ("cacheTTL", 3600.0, 3600),
        ("cacheTTL", 1.5, 1.5),
        ("maxConcurrentRequests", "10", 10),
        ("maxConcurrentRequests", "ten", "ten"),
        ("maxConcurrentRequests", "9" * 30, "9" * 30),
        ("requestTimeout", "-1", "-1"),
        ("logLevel", "1", "1"),
        ("logFile", "", ""),
    ],
)
def test_values_keep_their_meaning(key: str, given: Any, meant: Any) -> None:
    found = old_value(key, given)
    assert found == meant
    assert type(found) is type(meant)
