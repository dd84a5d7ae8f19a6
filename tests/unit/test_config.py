from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.config import Config, LogLevel, updated
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
