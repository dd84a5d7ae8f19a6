from __future__ import annotations

from typing import Any

import pytest
from pydantic.alias_generators import to_snake

from llm_runner_router.config.tree import SECTIONS
from llm_runner_router.old.settings import OLD_SETTINGS
from llm_runner_router.old.values import converted


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
        ("enableFallback", 0.0, False),
        ("enableFallback", None, None),
        ("enableFallback", "off", False),
        ("enableFallback", "maybe", "maybe"),
        ("cacheTTL", 0, 0),
        ("cacheTTL", "0", 0),
        ("cacheTTL", 3600.0, 3600),
        ("cacheTTL", 1.5, 1.5),
        ("maxConcurrentRequests", "10", 10),
        ("maxConcurrentRequests", "ten", "ten"),
        ("maxConcurrentRequests", "9" * 30, "9" * 30),
        ("requestTimeout", "-1", -1),
        ("requestTimeout", "1e3", "1e3"),
        ("logLevel", "1", "1"),
        ("logLevel", " DEBUG ", "debug"),
        ("logFile", "", ""),
    ],
)
def test_values_keep_their_meaning(key: str, given: Any, meant: Any) -> None:
    section, name = OLD_SETTINGS[key]
    found = converted(SECTIONS[section].model_fields[to_snake(name)], given)
    assert found == meant
    assert type(found) is type(meant)
