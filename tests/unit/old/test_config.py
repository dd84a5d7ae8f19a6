"""Flat settings of older versions in the places where configurations come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router.config.sources import load_config
from llm_runner_router.config.tree import Config
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.old.config import nested_settings

GUIDE = {
    "maxConcurrentRequests": 7,
    "requestTimeout": 5000,
    "enableCaching": False,
    "cacheTTL": 0,
    "logLevel": "warn",
    "logFile": "x.log",
    "modelCacheDir": "weights",
    "autoDownload": True,
    "routingStrategy": "random",
    "enableFallback": False,
}
"""Every key of the guide's migration script, none with its default."""

MEANT = {
    "performance": {"maxConcurrent": 7, "timeout": 5000},
    "cache": {"enabled": False, "ttl": 0},
    "logging": {"level": "warn", "file": "x.log"},
    "models": {"cacheDir": "weights", "autoDownload": True},
    "routing": {"strategy": "random", "enableFallback": False},
}


def loaded(folder: Path, values: Any) -> Config:
    (folder / "config.json").write_text(json.dumps(values))
    return load_config(environment={}, folder=folder).config


def test_an_old_file_means_the_same_as_the_new_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = loaded(tmp_path, MEANT)
    assert not caplog.records
    assert loaded(tmp_path, GUIDE) == wanted
    assert wanted.cache.ttl == 0
    assert wanted.logging.file == str(tmp_path / "x.log")
    (message,) = caplog.messages
    assert "llm-router migrate" in message
    assert str(tmp_path / "config.json") in message
    assert all(key in message for key in GUIDE)


def test_programs_are_told_at_their_own_line(tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        found = load_config(GUIDE, environment={}, folder=tmp_path).config
    assert found == load_config(MEANT, environment={}, folder=tmp_path).config
    assert {warning.filename for warning in caught} == {__file__}
    assert "cacheTTL is deprecated: use cache.ttl" in {str(warning.message) for warning in caught}
    assert len(caught) == len(GUIDE)


@pytest.mark.parametrize("key", ["maxConcurrentRequests", "max_concurrent_requests"])
def test_both_spellings_of_an_old_key_are_known(key: str) -> None:
    found = nested_settings({key: "3"})
    assert found.values == {"performance": {"maxConcurrent": 3}}
    assert found.renamed == {key: "performance.maxConcurrent"}


def test_null_says_nothing() -> None:
    assert nested_settings({"cacheTTL": None}).values == {}


def test_an_old_key_beside_its_new_one_is_refused_unless_both_say_the_same() -> None:
    both = {"cache": {"ttl": 5}, "cacheTTL": 5}
    assert nested_settings(both).values == {"cache": {"ttl": 5}}
    snake = {"performance": {"max_concurrent": 5}, "maxConcurrentRequests": 5}
    assert nested_settings(snake).values == {"performance": {"max_concurrent": 5}}
    with pytest.raises(InvalidConfigError, match=r"cacheTTL: 6 .* cache\.ttl"):
        nested_settings({"cache": {"ttl": 5}, "cacheTTL": 6})
    with pytest.raises(InvalidConfigError, match=r"performance\.max_concurrent"):
        nested_settings({**snake, "maxConcurrentRequests": 6})


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("maxConcurrentRequests", 0, "a whole number from 1 to 100"),
        ("enableCaching", "maybe", "true or false"),
        ("cacheTTL", -1, "seconds"),
        ("logLevel", "loud", "debug, info, warn or error"),
        ("routingStrategy", "best", "balanced"),
        ("logFile", "", "a path"),
    ],
)
def test_wrong_values_stand_under_their_own_key(
    tmp_path: Path, key: str, value: Any, allowed: str
) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        loaded(tmp_path, {key: value})
    assert caught.value.field == key
    assert allowed in caught.value.allowed


def test_comments_and_what_could_not_be_migrated_are_passed_over(tmp_path: Path) -> None:
    values = {"_comment": "old", "_unmapped": {"a": 1}, "cache": {"ttl": 5}}
    assert loaded(tmp_path, values).cache.ttl == 5
    with pytest.raises(InvalidConfigError, match="unmapped"):
        loaded(tmp_path, {"unmapped": 1})


@pytest.mark.parametrize("values", [5, [], {"cache": 5, "cacheTTL": 6}])
def test_what_is_no_object_is_refused(tmp_path: Path, values: Any) -> None:
    with pytest.raises(InvalidConfigError, match="an object of settings"):
        loaded(tmp_path, values)


def test_the_values_given_stay_as_they_were() -> None:
    given = {"cache": {"enabled": True}, "cacheTTL": 5}
    nested_settings(given)
    assert given == {"cache": {"enabled": True}, "cacheTTL": 5}
