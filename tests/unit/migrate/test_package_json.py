from __future__ import annotations

import json
from typing import Any

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.migrate.fields import Fate, Field
from llm_runner_router.migrate.leaves import leaves_of
from llm_runner_router.migrate.package_json import migrated_package


def package(wanted: str = "^1.0.5", **more: Any) -> dict[str, Any]:
    return {"name": "x", **more, "dependencies": {"llm-runner-router": wanted, "left": "1.0.0"}}


def test_contract_16_packages_before_1_1_become_modules() -> None:
    for version in ("0.x", "1.0"):
        result = migrated_package({"version": "3.1.0", **package()}, version)
        assert json.dumps(result.content) == json.dumps(
            {
                "version": "3.1.0",
                "type": "module",
                "name": "x",
                "dependencies": {"llm-runner-router": "^1.2.0", "left": "1.0.0"},
            }
        )
        assert list(result.fields) == [
            Field("version", Fate.KEPT, "version"),
            Field("name", Fate.KEPT, "name"),
            Field("dependencies.llm-runner-router", Fate.MAPPED, "dependencies.llm-runner-router"),
            Field("dependencies.left", Fate.KEPT, "dependencies.left"),
            Field("", Fate.ADDED, "type", "versions from 1.1 are ES modules"),
        ]
        assert any("require" in note for note in result.notes)


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_later_packages_keep_their_type(version: str) -> None:
    result = migrated_package(package("1.1.0", type="commonjs"), version)
    assert result.content == package("^1.2.0", type="commonjs")


def test_a_type_that_is_there_is_changed_in_its_place() -> None:
    result = migrated_package(package(type="commonjs"), "1.0")
    assert json.dumps(result.content) == json.dumps(package("^1.2.0", type="module"))
    assert Field("type", Fate.MAPPED, "type") in result.fields


@pytest.mark.parametrize(
    "wanted",
    [
        *("1.0.5", "^1.0.5", "~0.9", "1.x", "1", "v1.1.0", "=1.1.9", ">=1.0.0 <2.0.0"),
        *("1.0.0 - 1.1.5", "1.0.x || 1.2.x", "1.1.0-beta.2", "^1.0.0 || ^1.2.0", " 1.1.* "),
    ],
)
def test_old_ranges_are_renewed(wanted: str) -> None:
    assert migrated_package(package(wanted), "1.1").content == package("^1.2.0")


@pytest.mark.parametrize(
    ("wanted", "is_clear"),
    [
        *((wanted, True) for wanted in ("^1.2.0", "1.2", "1.10.0", "2.0.0-rc.1", ">=1.2 <3")),
        *((wanted, True) for wanted in ("latest", "*", "", "x")),
        *((wanted, False) for wanted in ("next", "file:../router-1.0.tgz", "npm:other@1.0.0")),
        *((wanted, False) for wanted in ("git+ssh://git@example.test/r.git#v1.0.5", "o/r#1.0")),
        *((wanted, False) for wanted in ("workspace:^1.0.0", "<1.2", "<= 1.1.5")),
    ],
)
def test_other_ranges_stay(wanted: str, is_clear: bool) -> None:
    old = package(wanted, type="module")
    result = migrated_package(old, "1.0")
    assert result.content == old
    assert bool(result.notes) is not is_clear


def test_every_group_is_looked_at() -> None:
    groups = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
    old = {group: {"llm-runner-router": "1.0.0"} for group in groups}
    new = {group: {"llm-runner-router": "^1.2.0"} for group in groups}
    assert migrated_package(old, "1.1").content == new


@pytest.mark.parametrize(
    ("pins", "renewed"),
    [
        ({"overrides": {"llm-runner-router": "1.0.5"}}, ["overrides.llm-runner-router"]),
        (
            {"overrides": {"llm-runner-router@^1": {".": "~1.1", "left": "1.0.0"}, "x": "1.0.0"}},
            ["overrides.llm-runner-router@^1.."],
        ),
        (
            {"resolutions": {"**/llm-runner-router": "1.0.5", "my-llm-runner-router": "1.0.5"}},
            ["resolutions.**/llm-runner-router"],
        ),
        (
            {"pnpm": {"overrides": {"llm-runner-router": "1.1.0"}}},
            ["pnpm.overrides.llm-runner-router"],
        ),
        ({"overrides": {"llm-runner-router": "$llm-runner-router"}}, []),
        ({"overrides": {"llm-runner-router": "^1.2.0"}, "pnpm": [], "resolutions": "x"}, []),
    ],
)
def test_releases_that_are_pinned_are_renewed(pins: dict[str, Any], renewed: list[str]) -> None:
    result = migrated_package(package(**pins), "1.1")
    before, after = dict(leaves_of(package(**pins))), dict(leaves_of(result.content))
    changed = [path for path in before if before[path] != after[path]]
    assert changed == [*renewed, "dependencies.llm-runner-router"]
    assert {after[path] for path in changed} == {"^1.2.0"}
    assert [one.path for one in result.fields if one.fate is Fate.MAPPED] == changed
    assert len(result.notes) == 1
    assert migrated_package(result.content, "1.1").content == result.content


def test_a_pin_beside_a_release_of_today_is_renewed() -> None:
    """npm refuses such a pair."""
    old = package("^1.2.0", overrides={"llm-runner-router": "1.0.5"})
    new = package("^1.2.0", overrides={"llm-runner-router": "^1.2.0"})
    assert migrated_package(old, "1.2").content == new


@pytest.mark.parametrize(
    ("pins", "told"),
    [
        ({"overrides": {"llm-runner-router": "file:../r"}}, "overrides.llm-runner-router"),
        (
            {"overrides": {"left": {"llm-runner-router": "1.0.5"}}},
            "overrides.left.llm-runner-router",
        ),
        (
            {"pnpm": {"overrides": {"left@1>llm-runner-router": "1.0.5"}}},
            "pnpm.overrides.left@1>llm-runner-router",
        ),
    ],
)
def test_pins_that_are_not_clear_or_of_others_are_told(pins: dict[str, Any], told: str) -> None:
    result = migrated_package(package(**pins), "1.1")
    assert result.content == package("^1.2.0", **pins)
    assert result.notes[-1].startswith(f"{told} is left as it is")
    assert not migrated_package(pins, "1.1").notes


def test_other_packages_are_nobodys_business() -> None:
    old = {"name": "x", "dependencies": {"left": "1.0.0"}, "devDependencies": None}
    result = migrated_package(old, "0.x")
    assert (result.content, list(result.notes)) == (old, [])
    assert {field.fate for field in result.fields} == {Fate.KEPT}


def test_contract_3_a_second_run_changes_nothing() -> None:
    once = migrated_package(package(), "1.0").content
    for version in ("0.x", "1.0", "1.2"):
        assert json.dumps(migrated_package(once, version).content) == json.dumps(once)


@pytest.mark.parametrize(
    ("old", "where"),
    [
        ({"dependencies": []}, "dependencies"),
        ({"dependencies": {"llm-runner-router": 1}}, "dependencies.llm-runner-router"),
    ],
)
def test_what_is_no_package_is_refused(old: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        migrated_package(old, "1.0")
    assert caught.value.field == where
