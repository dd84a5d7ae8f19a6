"""Which version a folder is of. The guide's examples tell what each has left there."""

from __future__ import annotations

from typing import Any

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate.versions import (
    Clue,
    Version,
    config_clues,
    detected,
    environment_clues,
    module_clues,
    package_clues,
    registry_clues,
    source_version,
    target_version,
)

FLAT = {"maxConcurrentRequests": 10}
NESTED: dict[str, Any] = {"performance": {"maxConcurrent": 10}}


def package(wanted: str, **more: str) -> dict[str, Any]:
    return {**more, "dependencies": {"llm-runner-router": wanted}}


@pytest.mark.parametrize(
    ("config", "package_json", "version"),
    [
        (FLAT, None, "1.0"),
        (NESTED, None, "1.2"),
        ({**NESTED, **FLAT}, None, "1.0"),
        (FLAT, package("^0.9.0"), "0.x"),
        (FLAT, package("1.0.5"), "1.0"),
        (FLAT, package("~1.1.2", type="module"), "1.1"),
        (FLAT, package("latest", type="module"), "1.1"),
        (FLAT, package("latest"), "1.0"),
        ({}, package("^1.1.0"), "1.1"),
        ({}, package("^1.2.0", type="module"), "1.2"),
        ({}, package("1.2.3"), "1.2"),
        # The package was renewed first, as the guide has it; the content is still old.
        (FLAT, package("^1.2.1"), "1.0"),
        (FLAT, package("^1.2.1", type="module"), "1.1"),
        # And this one was migrated, but for its package.
        (NESTED, package("1.0.5"), "1.2"),
        ({}, {"name": "x", "type": "module"}, "1.2"),
        ({}, None, "1.2"),
    ],
)
def test_contract_17_versions_are_told_by_content(
    config: dict[str, Any], package_json: dict[str, Any] | None, version: str
) -> None:
    clues = config_clues("config.json", config)
    if package_json is not None:
        clues += package_clues("package.json", package_json)
        clues += module_clues("package.json", package_json)
    assert detected(clues).version == version


def test_contract_17_registries_and_variables_tell_too() -> None:
    olds = ({"prompts": []}, {"models": [1, {"path": "x"}]}, {"models": [{"displayName": "x"}]})
    for registry in olds:
        assert detected(registry_clues("registry.json", registry)).version == Version.V1_0
    assert detected(registry_clues("r", {"version": "1.2.0", "prompts": []})).version == "1.2"
    assert registry_clues("r", {"models": "x"}) == []
    assert detected(environment_clues(".env", ["A", "LLM_LOG_LEVEL"])).version == Version.V1_0
    assert detected(environment_clues(".env", ["LOG_LEVEL"])).version == Version.V1_2


def test_of_clues_that_contradict_each_other_the_first_counts() -> None:
    old, new = Clue("a", frozenset({Version.V1_1})), Clue("b", frozenset({Version.V1_2}))
    assert detected([old, new]).version == Version.V1_1
    assert detected([new, old]).version == Version.V1_2
    assert list(detected([new, old]).clues) == [new]


@pytest.mark.parametrize(
    ("text", "version"),
    [
        *(("0.x", "0.x"), ("0.9.3", "0.x"), ("v0", "0.x"), ("1.0", "1.0"), ("1.0.5", "1.0")),
        *(("1.0.x", "1.0"), ("v1.1.x", "1.1"), (" 1.1 ", "1.1"), ("1.2.1", "1.2")),
    ],
)
def test_versions_that_are_given(text: str, version: str) -> None:
    assert source_version(text) == version


@pytest.mark.parametrize(
    "text", ["", "1", "2.0", "1.3", "1.10", "latest", "1.0.5.1", "1.0-x", "0x"]
)
def test_versions_that_there_are_not(text: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^from: .*0\.x, 1\.0, 1\.1 or 1\.2"):
        source_version(text)


@pytest.mark.parametrize("text", ["1.2", "1.2.x", "latest", "1.2.1", "v1.2"])
def test_targets(text: str) -> None:
    assert target_version(text) == "1.2"


@pytest.mark.parametrize("text", ["1.1", "1.3", "2", "", "1.20", "newest"])
def test_targets_that_there_are_not(text: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"^to: .*1\.2, 1\.2\.x or latest"):
        target_version(text)
