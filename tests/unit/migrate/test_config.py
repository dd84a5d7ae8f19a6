"""Configurations of older versions. What is expected stands in the guide's tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.config import check_config, migrated_config
from llm_runner_router.migrate.fields import Fate, Field

# The guide's table, written out.
GUIDE = {
    "maxConcurrentRequests": "performance.maxConcurrent",
    "requestTimeout": "performance.timeout",
    "enableCaching": "cache.enabled",
    "cacheTTL": "cache.ttl",
    "logLevel": "logging.level",
    "logFile": "logging.file",
    "modelCacheDir": "models.cacheDir",
    "autoDownload": "models.autoDownload",
    "routingStrategy": "routing.strategy",
    "enableFallback": "routing.enableFallback",
}


def field_of(old: Mapping[str, Any], path: str) -> Field:
    (found,) = [field for field in migrated_config(old).fields if field.path == path]
    return found


def content(old: Mapping[str, Any]) -> Mapping[str, Any]:
    return migrated_config(old).content


def test_the_example_of_the_guide() -> None:
    old = {
        "maxConcurrentRequests": 10,
        "enableCaching": True,
        "cacheTTL": 3600,
        "logLevel": "info",
        "modelCacheDir": "./models",
        "routingStrategy": "balanced",
    }
    assert content(old) == {
        "performance": {"maxConcurrent": 10},
        "cache": {"enabled": True, "ttl": 3600},
        "logging": {"level": "info"},
        "models": {"cacheDir": "./models"},
        "routing": {"strategy": "balanced"},
    }


def test_contract_4_every_known_key_is_carried_over() -> None:
    old = {
        "maxConcurrentRequests": 7,
        "requestTimeout": 45000,
        "enableCaching": False,
        "cacheTTL": 60,
        "logLevel": "warn",
        "logFile": "./router.log",
        "modelCacheDir": "./weights",
        "autoDownload": True,
        "routingStrategy": "speed-priority",
        "enableFallback": False,
    }
    result = migrated_config(old)
    assert result.content == {
        "performance": {"maxConcurrent": 7, "timeout": 45000},
        "cache": {"enabled": False, "ttl": 60},
        "logging": {"level": "warn", "file": "./router.log"},
        "models": {"cacheDir": "./weights", "autoDownload": True},
        "routing": {"strategy": "speed-priority", "enableFallback": False},
    }
    assert [(field.path, field.target) for field in result.fields] == list(GUIDE.items())
    assert {field.fate for field in result.fields} == {Fate.MAPPED}
    check_config(result)


def test_contract_4_every_unknown_key_is_kept_and_reported() -> None:
    old = {
        "_comment": "mine",
        "cacheTTL": 60,
        "plugins": [{"name": "x"}, []],
        "cache": {"enabled": True, "shards": 4},
        "requestTimout": 5,
        "budgets": {"total": {"day": 1.5, "year": 9}, "callers": {"a.b": {"dai": 1}}},
    }
    result = migrated_config(old)
    assert result.content == {
        "_comment": "mine",
        "cache": {"ttl": 60, "enabled": True},
        "budgets": {"total": {"day": 1.5}, "callers": {"a.b": {}}},
        "_unmapped": {
            "plugins": [{"name": "x"}, []],
            "cache": {"shards": 4},
            "requestTimout": 5,
            "budgets": {"total": {"year": 9}, "callers": {"a.b": {"dai": 1}}},
        },
    }
    kept = [(field.path, field.target) for field in result.fields if field.fate is Fate.KEPT]
    assert kept == [
        ("_comment", "_comment"),
        ("plugins[0].name", "_unmapped.plugins[0].name"),
        ("plugins[1]", "_unmapped.plugins[1]"),
        ("cache.shards", "_unmapped.cache.shards"),
        ("requestTimout", "_unmapped.requestTimout"),
        ("budgets.total.year", "_unmapped.budgets.total.year"),
        ("budgets.callers.a.b.dai", "_unmapped.budgets.callers.a.b.dai"),
    ]
    assert "performance.timeout" in field_of(old, "requestTimout").note
    check_config(result)


@pytest.mark.parametrize(
    ("key", "value", "section", "name", "wanted"),
    [
        ("cacheTTL", 0, "cache", "ttl", 0),
        ("cacheTTL", "0", "cache", "ttl", 0),
        ("enableCaching", 0, "cache", "enabled", False),
        ("enableCaching", False, "cache", "enabled", False),
        ("enableCaching", "false", "cache", "enabled", False),
        ("enableCaching", "FALSE", "cache", "enabled", False),
        ("enableCaching", 1, "cache", "enabled", True),
        ("autoDownload", "0", "models", "autoDownload", False),
        ("enableFallback", 0.0, "routing", "enableFallback", False),
        ("maxConcurrentRequests", "12", "performance", "maxConcurrent", 12),
        ("requestTimeout", 2000.0, "performance", "timeout", 2000),
        ("logLevel", "INFO", "logging", "level", "info"),
    ],
)
def test_contract_2_falsy_values_stay_what_they_are(
    key: str, value: object, section: str, name: str, wanted: object
) -> None:
    result = migrated_config({key: value})
    assert json.dumps(result.content) == json.dumps({section: {name: wanted}})
    check_config(result)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [(key, None, "null means not set") for key in GUIDE]
    + [
        ("logFile", "", "an empty text means not set"),
        ("modelCacheDir", "", "an empty text means not set"),
        ("logLevel", "", "an empty text means not set"),
        ("routingStrategy", "", "an empty text means not set"),
    ],
)
def test_contract_2_what_is_not_set_is_reported(key: str, value: object, why: str) -> None:
    result = migrated_config({key: value})
    assert (result.content, result.fields) == ({}, [Field(key, Fate.UNMAPPED, note=why)])


def test_null_stays_where_it_is_a_value_of_today() -> None:
    old = {"logging": {"file": None, "level": None}, "cache": None}
    assert content(old) == {"logging": {"file": None}}
    assert field_of(old, "logging.file") == Field("logging.file", Fate.MAPPED, "logging.file")
    assert field_of(old, "logging.level").fate is Fate.UNMAPPED
    assert field_of(old, "cache").fate is Fate.UNMAPPED


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("maxConcurrentRequests", 0),
        ("maxConcurrentRequests", 101),
        ("maxConcurrentRequests", "many"),
        ("maxConcurrentRequests", True),
        ("requestTimeout", 999),
        ("cacheTTL", -1),
        ("cacheTTL", 1.5),
        ("cacheTTL", ""),
        ("enableCaching", "maybe"),
        ("enableCaching", ""),
        ("enableCaching", 2),
        ("logLevel", "loud"),
        ("logFile", 5),
        ("modelCacheDir", ["./models"]),
        ("routingStrategy", "cheapest"),
    ],
)
def test_what_is_out_of_range_is_refused_and_never_clamped(key: str, value: object) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        check_config(migrated_config({key: value}))
    assert caught.value.field == key
    assert caught.value.value == value


def test_nested_values_that_are_wrong_are_named() -> None:
    with pytest.raises(InvalidConfigError, match=r"^performance\.timeout: 5 .*1000"):
        check_config(migrated_config({"performance": {"timeout": 5}}))


@pytest.mark.parametrize("milliseconds", [100_000, 3_600_000])
@pytest.mark.parametrize("nested", [True, False])
def test_contract_5_values_that_look_like_milliseconds_are_told(
    milliseconds: int, nested: bool
) -> None:
    path = "cache.ttl" if nested else "cacheTTL"
    old = {"cache": {"ttl": milliseconds}} if nested else {"cacheTTL": milliseconds}
    assert content(old) == {"cache": {"ttl": milliseconds}}
    note = field_of(old, path).note
    assert list(migrated_config(old).notes) == [f"{path}: {note}"]
    assert "seconds" in note
    assert "milliseconds" in note


def test_contract_5_seconds_are_not_warned_of() -> None:
    assert not field_of({"cacheTTL": 99_999}, "cacheTTL").note
    assert not field_of({"requestTimeout": 300_000}, "requestTimeout").note


@pytest.mark.parametrize(
    "old",
    [
        {"maxConcurrentRequests": 5, "performance": {"maxConcurrent": 6}},
        {"performance": {"maxConcurrent": 6}, "maxConcurrentRequests": 5},
        {"performance": {"max_concurrent": 6}, "maxConcurrentRequests": 5},
        {"performance": {"max_concurrent": 6, "maxConcurrent": 5}},
        {"max_concurrent_requests": 5, "maxConcurrentRequests": 6},
    ],
)
def test_one_setting_with_two_values_is_refused(old: Mapping[str, Any]) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        migrated_config(old)
    first, second = [
        key if isinstance(old[key], int) else "performance." for key in [*old, *old][:2]
    ]
    assert caught.value.message.count(first) >= 1
    assert caught.value.message.count(second) >= 1
    assert "5" in caught.value.message
    assert "6" in caught.value.message


def test_one_setting_that_is_said_twice_alike() -> None:
    old = {"performance": {"max_concurrent": 5}, "maxConcurrentRequests": "5"}
    result = migrated_config(old)
    assert result.content == {"performance": {"max_concurrent": 5}}
    assert {field.target for field in result.fields} == {"performance.max_concurrent"}
    assert len(result.fields) == 2


def test_both_spellings_of_old_keys() -> None:
    assert content({"cache_ttl": 5, "log_file": "x"}) == {
        "cache": {"ttl": 5},
        "logging": {"file": "x"},
    }


def test_a_list_of_models_is_no_setting() -> None:
    old = {"modelCacheDir": "./m", "models": [{"id": "a"}]}
    assert content(old) == {
        "models": {"cacheDir": "./m"},
        "_unmapped": {"models": [{"id": "a"}]},
    }


@pytest.mark.parametrize(
    ("old", "where"),
    [
        ({"cache": False}, "cache"),
        ({"logging": "info"}, "logging"),
        ({"budgets": {"callers": {"alice": 5}}}, "budgets.callers.alice"),
        ({"budgets": {"eachCaller": {"day": 1}, "each_caller": {"day": 1}}}, "budgets.each_caller"),
        ({"foo": 1, "_unmapped": []}, "_unmapped.foo"),
        ({"foo": 1, "_unmapped": {"foo": 2}}, "_unmapped.foo"),
        ({"cache": {"foo": 1}, "_unmapped": {"cache": 2}}, "_unmapped.cache.foo"),
        ({"cache": {"foo": 1}, "_unmapped": {"cache": 1}}, "_unmapped.cache.foo"),
    ],
)
def test_what_cannot_be_placed_is_refused(old: Mapping[str, Any], where: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        migrated_config(old)
    assert caught.value.field == where


def test_what_was_laid_aside_stays_there() -> None:
    old = {"foo": 1, "bar": 2, "_unmapped": {"foo": 1, "cache": {"x": 1}}, "cache": {"y": 2}}
    assert content(old) == {
        "cache": {},
        "_unmapped": {"foo": 1, "cache": {"x": 1, "y": 2}, "bar": 2},
    }
    assert old["_unmapped"] == {"foo": 1, "cache": {"x": 1}}


def test_contract_3_what_is_migrated_already_comes_out_as_it_is() -> None:
    new = {
        "_comment": "x",
        "routing": {"strategy": "random", "breaker_failures": 3},
        "performance": {"maxConcurrent": 10},
        "limits": {"callers": {"alice": {"share": 2}}, "eachCaller": {}},
        "registry": {"path": None},
        "_unmapped": {"foo": None},
        "engine": {},
    }
    result = migrated_config(new)
    assert json.dumps(result.content) == json.dumps(new)
    assert all(field.path == field.target for field in result.fields)


# Values that each setting may have, as files of all versions write them.
TRUTHS = st.sampled_from([True, False, 0, 1, "true", "false", "0", None])
OLD_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "maxConcurrentRequests": st.integers(1, 100) | st.integers(1, 100).map(str) | st.none(),
    "requestTimeout": st.integers(1000, 86_400_000) | st.just(2000.0),
    "enableCaching": TRUTHS,
    "cacheTTL": st.integers(0, 10**9) | st.integers(0, 99).map(str),
    "logLevel": st.sampled_from(["debug", "INFO", "warn", "error", "", None]),
    "logFile": st.text("ab/", max_size=3) | st.none(),
    "modelCacheDir": st.text("ab/", max_size=3) | st.none(),
    "autoDownload": TRUTHS,
    "routingStrategy": st.sampled_from(["balanced", "random", "Round-Robin", None]),
    "enableFallback": TRUTHS,
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text("xyz", min_size=1), inner),
    max_leaves=5,
)
UNKNOWN = st.dictionaries(st.text("pqr", min_size=1, max_size=3), ANYTHING, max_size=3)
NESTED = st.fixed_dictionaries(
    {},
    optional={
        "limits": st.fixed_dictionaries(
            {},
            optional={
                "callers": st.dictionaries(
                    st.text("pq.", min_size=1, max_size=2),
                    st.fixed_dictionaries({}, optional={"share": st.floats(1, 2)}),
                    max_size=2,
                ),
                "pqr": ANYTHING,
            },
        ),
        "server": st.fixed_dictionaries({"port": st.integers(0, 9)}, optional={"pq": ANYTHING}),
        "_comment": ANYTHING,
    },
)
CONFIGS = st.builds(
    lambda flat, unknown, nested, reverse: dict(
        list({**flat, **unknown, **nested}.items())[:: -1 if reverse else 1]
    ),
    st.fixed_dictionaries({}, optional=OLD_VALUES),
    UNKNOWN,
    NESTED,
    st.booleans(),
)


def every_leaf(value: object, path: str = "") -> list[tuple[str, object]]:
    """An enumeration of its own, beside the one under test."""
    if isinstance(value, dict) and value:
        pairs = [(f"{path}.{key}" if path else key, inner) for key, inner in value.items()]
    elif isinstance(value, list) and value:
        pairs = [(f"{path}[{number}]", inner) for number, inner in enumerate(value)]
    else:
        return [(path, value)]
    return [leaf for name, inner in pairs for leaf in every_leaf(inner, name)]


@settings(deadline=None)
@given(CONFIGS)
def test_no_leaf_is_lost(old: dict[str, Any]) -> None:
    result = migrated_config(old)
    leaves = every_leaf(old) if old else []
    assert sorted(field.path for field in result.fields) == sorted(path for path, _ in leaves)
    new = dict(every_leaf(result.content))
    before = dict(leaves)
    for field in result.fields:
        if field.fate is Fate.UNMAPPED:
            assert before[field.path] in {None, ""}
        elif field.fate is Fate.KEPT or not field.note:
            assert json.dumps(new[field.target]) == json.dumps(before[field.path])
        else:
            assert field.target in new


@settings(deadline=None)
@given(CONFIGS)
def test_contract_3_a_second_run_changes_nothing(old: dict[str, Any]) -> None:
    once = migrated_config(old)
    twice = migrated_config(once.content)
    assert json.dumps(twice.content) == json.dumps(once.content)
    assert all(field.path == field.target for field in twice.fields)


@settings(deadline=None)
@given(CONFIGS)
def test_the_service_reads_the_result(old: dict[str, Any]) -> None:
    result = migrated_config(old)
    check_config(result)
    Config.checked({key: value for key, value in result.content.items() if key[0] != "_"})
    assert not set(result.content) & set(GUIDE)
