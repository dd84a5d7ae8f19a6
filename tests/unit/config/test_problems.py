"""All problems of a configuration file, each in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from llm_runner_router.config.problems import MAX_BYTES, config_problems
from llm_runner_router.config.sources import MAX_FILE_BYTES
from llm_runner_router.config.tree import SECTIONS, Config, snake_keys
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.old.config import nested_settings
from llm_runner_router.old.settings import OLD_SETTINGS

GUIDE = {
    "performance": {"maxConcurrent": 10, "timeout": 30000},
    "cache": {"enabled": True, "ttl": 3600},
    "logging": {"level": "info", "file": "./router.log"},
    "models": {"cacheDir": "./models", "autoDownload": True},
    "routing": {"strategy": "balanced", "enableFallback": True},
}
"""What the migration script of the guide makes."""


def problems(value: object) -> list[tuple[str, str]]:
    """The keys and messages of a document."""
    return [(one.key, one.message) for one in config_problems(json.dumps(value).encode())]


def lines(text: str) -> list[str]:
    return [one.text for one in config_problems(text.encode())]


def test_point_1_the_new_configuration_of_the_guide_is_valid() -> None:
    assert problems(GUIDE) == []


def test_all_defaults_in_both_spellings_are_valid() -> None:
    assert problems(Config().model_dump(mode="json", by_alias=True)) == []
    assert problems(Config().model_dump(mode="json")) == []
    assert problems({"_comment": {"maxConcurrentRequests": 1}, "_": None}) == []


@pytest.mark.parametrize(
    ("section", "key"),
    [(section, key) for section in SECTIONS for key in SECTIONS[section].model_fields],
)
def test_every_key_is_checked_in_its_place(section: str, key: str) -> None:
    text = f'{{\n  "{section}": {{\n    "{to_camel(key)}": [7]\n  }}\n}}'
    (found,) = config_problems(text.encode())
    assert (found.line, found.column) == (3, len(to_camel(key)) + 9)
    assert found.key == f"{section}.{to_camel(key)}"
    extra = SECTIONS[section].model_fields[key].json_schema_extra
    assert isinstance(extra, dict)
    assert found.allowed == extra["allowed"]


def test_all_problems_at_once_in_the_order_of_the_file() -> None:
    text = """{
  "performance": { "maxConcurent": 5, "timeout": 10 },
\t"cache": {"ttl": -1, "url": "http://user:secret@host"},
  "registry": {"path": "a", "url": "postgres://u:secret@h/db"},
  "budgets": {"callers": {"al.ice": {"dya": 3, "day": -1}, "b": 5}},
  "modles": {"api": "secret"},
  "models": "secret",
  "logLevel": "info",
  "engine": null
}"""
    assert lines(text) == [
        "2:20: performance.maxConcurent: is no setting; did you mean performance.maxConcurrent?",
        (
            "2:50: performance.timeout: 10 is not allowed; "
            "allowed: milliseconds, a whole number from 1000 to 86400000"
        ),
        "3:19: cache.ttl: -1 is not allowed; allowed: seconds, a whole number ≥ 0",
        (
            "3:30: cache.url: 'http://…' is not allowed; "
            "allowed: redis://, rediss:// or unix:// and an address, or null"
        ),
        "4:15: registry: '…' is not allowed; allowed: path or url, not both",
        "5:38: budgets.callers.al.ice.dya: is no setting; did you mean budgets.callers.al.ice.day?",
        (
            "5:55: budgets.callers.al.ice.day: -1 is not allowed; "
            "allowed: US dollars, a number ≥ 0, or null"
        ),
        (
            "5:65: budgets.callers.b: 5 is not allowed; "
            "allowed: day and month in US dollars, by caller"
        ),
        "6:3: modles: is no setting; did you mean models?",
        "7:13: models: '…' is not allowed; allowed: an object of settings",
        (
            "8:3: logLevel: is a setting of an older version; today it is logging.level; "
            "run `llm-router migrate`"
        ),
        "9:13: engine: null is not allowed; allowed: an object of settings",
    ]
    assert "secret" not in str(config_problems(text.encode()))


@pytest.mark.parametrize("key", OLD_SETTINGS)
def test_each_old_key_leads_to_migrate(key: str) -> None:
    (found,) = config_problems(json.dumps({key: None, **GUIDE}).encode())
    assert (found.line, found.column, found.key) == (1, 2, key)
    assert found.allowed == ".".join(OLD_SETTINGS[key])
    assert found.suggestion == "run `llm-router migrate`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"cache": {"ttl": 1, "ttl": 1}}', ["1:22: cache.ttl: stands there twice"]),
        (
            '{"cache": {"maxBytes": 1, "max_bytes": -1}}',
            ["1:27: cache.max_bytes: stands there twice"],
        ),
        ('{"cache": {}, "cache": 1}', ["1:15: cache: stands there twice"]),
        (
            '{"limits": {"callers": {"a": {}, "a": {}}}}',
            ["1:34: limits.callers.a: stands there twice"],
        ),
    ],
)
def test_keys_that_stand_twice(text: str, expected: list[str]) -> None:
    assert lines(text) == expected


@pytest.mark.parametrize(
    ("key", "near"),
    [
        ("ttl", "cache.ttl"),
        ("maxConcurrent", "performance.maxConcurrent"),
        ("loging", "logging"),
        ("maxconcurrent", "performance.maxConcurrent"),
        ("zzzzzz", ""),
    ],
)
def test_suggestions_of_the_top_level(key: str, near: str) -> None:
    (found,) = config_problems(json.dumps({key: 1}).encode())
    assert found.suggestion == (f"did you mean {near}?" if near else "")
    assert found.allowed.startswith("one of performance, cache, ")
    assert ("allowed" in found.message) == (not near)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b"", "1:1: is no JSON: Expecting value"),
        (b'{\n  "cache": {,}\n}', "2:13: is no JSON: a key in double quotes is expected here"),
        (b'{\n  "a": 1\n  "b": 2\n}', "3:3: is no JSON: a comma or } is expected here"),
        (b'{"a": 1e}', "1:8: is no JSON: a comma or } is expected here"),
        (b'{"a": NaN}', "1:7: is no JSON: NaN is no JSON number"),
        (b'{\n "\xc3\xa9\xff": 1}', "2:4: is no JSON: here begins what is no UTF-8"),
        (b"[]", "1:1: '…' is not allowed; allowed: an object of settings"),
        (b"\xef\xbb\xbf 5", "1:2: 5 is not allowed; allowed: an object of settings"),
        (b" " * (MAX_BYTES + 1), f"1:1: is no JSON: the file is longer than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_no_configuration_at_all(document: bytes, text: str) -> None:
    assert [one.text for one in config_problems(document)] == [text]


def test_the_limit_is_that_of_the_service() -> None:
    assert MAX_BYTES == MAX_FILE_BYTES


LEAVES = st.sampled_from([None, True, 0, 1, -1, 2.5, 1000, "info", "", "a", "f16", [], {}, "x://y"])
KEYS = st.sampled_from(
    [to_camel(key) for section in SECTIONS.values() for key in section.model_fields]
    + ["max_queue", "cache_dir", "unknown", "day", "share", "callers"]
)
DOCUMENTS = st.dictionaries(
    st.sampled_from([*SECTIONS, "_comment", "nothing"]),
    LEAVES | st.dictionaries(KEYS, LEAVES | st.dictionaries(KEYS, LEAVES, max_size=2), max_size=3),
    max_size=3,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DOCUMENTS)
def test_a_file_without_problems_is_one_that_the_service_takes(document: dict[str, Any]) -> None:
    refused = None
    try:
        Config.checked(snake_keys(nested_settings(document).values))
    except InvalidConfigError as error:
        refused = error.field
    keys = [key for key, _ in problems(document)]
    assert refused in keys if refused else not keys


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=30) | st.text('{}[]",:a1 \n', max_size=30).map(str.encode))
def test_any_bytes_have_a_place_for_their_problem(document: bytes) -> None:
    for one in config_problems(document):
        assert 1 <= one.line <= document.count(b"\n") + 1
        assert one.column >= 1
        assert one.text
