"""The guide's "Constructor Changes": all forms in which LLMRouter takes its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router import Config, InvalidConfigError, LLMRouter
from llm_runner_router.router_settings import Settings, settings_of


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"performance": {"timeout": 4000}, "maxConcurrentRequests": 4}))
    return str(path)


async def performance(router: LLMRouter) -> tuple[int, int]:
    async with router:
        found = (await router.get_config())["performance"]
    return found["timeout"], found["max_concurrent"]


@pytest.mark.parametrize("kind", [str, Path])
async def test_contract_16_a_path_of_v0_works_and_warns(file: str, kind: type) -> None:
    with pytest.warns(DeprecationWarning, match="config_file=path") as caught:
        router = LLMRouter(kind(file))
    assert caught[0].filename == __file__
    assert await performance(router) == (4000, 4)


@pytest.mark.parametrize("key", ["configFile", "config_file"])
async def test_contract_16_a_file_among_the_settings(file: str, key: str) -> None:
    assert await performance(LLMRouter({key: file})) == (4000, 4)
    with_more = LLMRouter({key: file, "performance": {"maxConcurrent": 5}})
    assert await performance(with_more) == (4000, 5)
    assert await performance(LLMRouter(**{key: file})) == (4000, 4)


@pytest.mark.parametrize("keywords", [False, True])
async def test_flat_options_of_v1_0(keywords: bool) -> None:
    options: dict[str, Any] = {
        "maxConcurrentRequests": 3,
        "enableCaching": True,
        "logLevel": "info",
    }
    with pytest.warns(DeprecationWarning, match="is deprecated") as caught:
        router = LLMRouter(**options) if keywords else LLMRouter(options)
    assert {str(one.message).partition(" ")[0] for one in caught} == set(options)
    assert {one.filename for one in caught} == {__file__}
    assert (await performance(router))[1] == 3


async def test_nested_options_do_not_warn() -> None:
    assert (await performance(LLMRouter({"performance": {"maxConcurrent": 3}})))[1] == 3
    assert (await performance(LLMRouter(performance={"maxConcurrent": 3})))[1] == 3
    assert (await performance(LLMRouter(Config.checked({"performance": {"timeout": 2000}}))))[
        0
    ] == 2000


@pytest.mark.parametrize(
    ("config", "options", "field"),
    [
        (None, {"configFile": 5}, "configFile"),
        ({"configFile": "a", "config_file": "b"}, {}, "configFile"),
        ({"cache": {}}, {"cache": {}}, "cache"),
        ({}, {"maxConcurrent": 5}, "maxConcurrent"),
        (None, {"maxConcurrentRequests": 500}, "maxConcurrentRequests"),
        ([], {}, "configuration"),
        (5, {"cache": {}}, "configuration"),
    ],
)
def test_what_is_wrong_is_named(config: Any, options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        LLMRouter(config, **options)
    assert caught.value.field == field


def test_a_target_goes_without_settings() -> None:
    for values in ({"config": {}}, {"cache": {}}, {"config_file": "x"}):
        with pytest.raises(InvalidConfigError, match="target"):
            LLMRouter(target="localhost:1", **values)  # type: ignore[arg-type]


def test_one_file_only() -> None:
    assert settings_of({"a": 1}, "x", {"b": 2}) == Settings({"a": 1, "b": 2}, "x")
    with pytest.raises(InvalidConfigError, match="one file only"):
        settings_of({"configFile": "y"}, "x", {})
