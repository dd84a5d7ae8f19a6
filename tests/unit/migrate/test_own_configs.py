"""Whose a configuration is."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

from llm_runner_router.migrate.json_file import read_json
from llm_runner_router.migrate.own_configs import is_strange, own_configs


@pytest.mark.parametrize(
    "config",
    [
        {"development": {"username": "u", "dialect": "postgres"}, "production": {}},
        {"model_type": "gpt2", "vocab_size": 5},
        {"server": "https://x.example", "cache": True, "models": ["a"]},
        {"logging": {"format": "combined"}, "_comment": "mine"},
    ],
)
def test_files_in_which_nothing_is_a_setting(config: dict[str, Any]) -> None:
    assert is_strange(config)


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"_unmapped": {"port": 1}},
        {"port": 1, "logLevel": "info"},
        {"port": 1, "cache": {"ttl": 1}},
        {"port": 1, "routing": {"enable_fallback": True}},
        {"cache": None},
        {"cache": {}},
    ],
)
def test_files_that_may_be_ours(config: dict[str, Any]) -> None:
    assert not is_strange(config)


def test_a_configuration_is_ours_by_its_content_or_its_name_or_as_code_gives_it_to_a_router() -> (
    None
):
    foreign, own = (read_json("x", data, 99) for data in (b'{"a": 1}', b'{"cacheTTL": 1}'))
    names = ("config/config.json", "config.json", ".llmrouter.json")
    configs = {PurePosixPath(name): foreign for name in names}
    given, named = PurePosixPath("config.json"), PurePosixPath(".llmrouter.json")
    assert list(own_configs(configs, [given])) == [given, named]
    first = PurePosixPath("config/config.json")
    assert list(own_configs({**configs, first: own}, [])) == [first, named]
