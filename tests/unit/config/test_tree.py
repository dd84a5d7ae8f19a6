from __future__ import annotations

import traceback
from typing import Any

import pytest

from llm_runner_router.config.tree import Config, LogLevel, updated
from llm_runner_router.errors import InvalidConfigError


def test_defaults_are_the_promised_ones() -> None:
    values = Config().nested()
    assert values["performance"] == {"max_concurrent": 10, "max_queue": 100, "timeout": 30_000}
    assert values["cache"] == {
        "enabled": True,
        "ttl": 3600,
        "max_bytes": 64 << 20,
        "url": None,
    }
    assert values["logging"] == {"level": "info", "file": None}
    assert values["models"]["cache_dir"] == "./models"
    assert values["routing"]["strategy"] == "balanced"
    assert values["server"] == {"host": "127.0.0.1", "port": 50051, "drain_timeout": 30.0}


@pytest.mark.parametrize("key", ["maxConcurrent", "max_concurrent"])
def test_both_spellings_are_read(key: str) -> None:
    assert Config.checked({"performance": {key: 3}}).performance.max_concurrent == 3


def test_falsy_values_are_kept() -> None:
    config = Config.checked({"cache": {"enabled": False, "ttl": 0}, "performance": {"maxQueue": 0}})
    assert (config.cache.enabled, config.cache.ttl, config.performance.max_queue) == (False, 0, 0)


@pytest.mark.parametrize(
    ("section", "key", "value", "allowed"),
    [
        ("performance", "maxConcurrent", 0, "a whole number from 1 to 100"),
        ("performance", "maxConcurrent", 101, "a whole number from 1 to 100"),
        ("performance", "maxConcurrent", True, "a whole number from 1 to 100"),
        ("performance", "maxConcurrent", "10", "a whole number from 1 to 100"),
        ("performance", "maxConcurrent", 2.5, "a whole number from 1 to 100"),
        ("performance", "timeout", 999, "milliseconds, a whole number from 1000 to 86400000"),
        ("cache", "enabled", "false", "true or false"),
        ("cache", "ttl", -1, "seconds, a whole number ≥ 0"),
        ("logging", "level", "verbose", "debug, info, warn or error"),
        ("logging", "level", None, "debug, info, warn or error"),
        ("routing", "strategy", "best", "one of quality-first, cost-optimized"),
        ("engine", "kvType", "q8", "f32 or f16"),
        ("server", "port", 65536, "a whole number from 0 to 65535"),
        ("server", "drainTimeout", float("nan"), "seconds, a number from 0 to 86400"),
    ],
)
def test_wrong_values_name_key_value_and_allowed(
    section: str, key: str, value: object, allowed: str
) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config.checked({section: {key: value}})
    assert caught.value.field == f"{section}.{key}"
    assert repr(caught.value.value) == repr(value)
    assert caught.value.allowed.startswith(allowed)


@pytest.mark.parametrize(
    ("values", "field", "near"),
    [
        ({"performance": {"maxConcurent": 1}}, "performance.maxConcurent", "maxConcurrent"),
        ({"maxConcurrent": 1}, "maxConcurrent", "performance.maxConcurrent"),
        ({"logging": {"ttl": 1}}, "logging.ttl", "cache.ttl"),
        ({"preformance": {}}, "preformance", "performance"),
        ({"zzzzzz": {}}, "zzzzzz", "a known key"),
    ],
)
def test_unknown_keys_name_the_nearest(values: dict[str, Any], field: str, near: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config.checked(values)
    assert caught.value.field == field
    assert near in caught.value.allowed
    assert caught.value.reason == "UNKNOWN_CONFIG_KEY"


@pytest.mark.parametrize("values", [{"performance": 3}, {"performance": None}, [], "x"])
def test_sections_are_objects(values: Any) -> None:
    with pytest.raises(InvalidConfigError, match="an object of settings"):
        Config.checked(values)


def test_one_key_in_two_spellings_is_refused() -> None:
    with pytest.raises(InvalidConfigError, match="one spelling"):
        Config.checked({"performance": {"maxQueue": 1, "max_queue": 2}})


def test_update_changes_what_may_change() -> None:
    config = updated(Config(), {"performance": {"maxConcurrent": 2}, "logging": {"level": "debug"}})
    assert config.performance.max_concurrent == 2
    assert config.performance.timeout == 30_000
    assert config.logging.level is LogLevel.DEBUG


@pytest.mark.parametrize(
    "changes", [{"engine": {"threads": 1}}, {"server": {"port": 1}}, {"logging": {"file": "x"}}]
)
def test_update_refuses_the_rest(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidConfigError, match="a change at start only"):
        updated(Config(), changes)


def test_update_may_repeat_what_is_set() -> None:
    config = Config()
    assert updated(config, config.nested()) == config


SECRET_ADDRESS = "redis://:very-secret@host:6379/0"


@pytest.mark.parametrize(
    ("values", "field", "shown"),
    [
        ({"cache": {"url": "http://u:very-secret@host"}}, "cache.url", "http://…"),
        ({"cache": {"url": ["very-secret"]}}, "cache.url", "…"),
        ({"cache": {"url": "very-secret"}}, "cache.url", "…"),
        ({"cache": {"redisUrl": SECRET_ADDRESS}}, "cache.redisUrl", "…"),
        ({"redis": SECRET_ADDRESS}, "redis", "…"),
        ({"cache": SECRET_ADDRESS}, "cache", "…"),
        ({"budgets": {"total": {"very": "very-secret"}}}, "budgets.total.very", "…"),
    ],
)
def test_errors_repeat_no_secret(values: dict[str, Any], field: str, shown: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config.checked(values)
    error = caught.value
    assert (error.field, error.value) == (field, shown)
    told = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
    assert "very-secret" not in told


def test_an_address_is_kept_but_not_shown() -> None:
    config = Config.checked({"cache": {"url": SECRET_ADDRESS}})
    assert config.nested()["cache"]["url"] == "redis://…"
    changed = updated(config, {"performance": {"maxConcurrent": 2}})
    assert changed.cache.url == SECRET_ADDRESS
    assert updated(config, config.nested()).cache.url == SECRET_ADDRESS
    with pytest.raises(InvalidConfigError, match="a change at start only") as caught:
        updated(config, {"cache": {"url": "rediss://:other@host"}})
    assert caught.value.value == "rediss://…"


@pytest.mark.parametrize(
    ("values", "field", "allowed"),
    [
        (
            {"budgets": {"callers": {"the_alice": {"day": -1}}}},
            "budgets.callers.the_alice.day",
            "US dollars, a number ≥ 0, or null",
        ),
        (
            {"limits": {"each_caller": {"tokens_per_minute": 1.5}}},
            "limits.eachCaller.tokensPerMinute",
            "a whole number ≥ 0",
        ),
        (
            {"budgets": {"eachCaller": 3}},
            "budgets.eachCaller",
            "day and month in US dollars",
        ),
        (
            {"budgets": {"models": {"m": 3}}},
            "budgets.models.m",
            "day and month in US dollars",
        ),
        ({"budgets": {"models": {"m": {"dya": 3}}}}, "budgets.models.m.dya", "one of day, month"),
        ({"limits": {"callers": 3}}, "limits.callers", "limits of a caller, by caller"),
    ],
)
def test_wrong_values_inside_name_the_whole_path(
    values: dict[str, Any], field: str, allowed: str
) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        Config.checked(values)
    assert caught.value.field == field
    assert caught.value.allowed.startswith(allowed)
