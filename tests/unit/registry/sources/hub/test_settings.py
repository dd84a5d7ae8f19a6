"""What the environment says of the hub."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_runner_router.errors import InvalidConfigError
from llm_runner_router.registry.sources.hub.settings import DEFAULT_ENDPOINT, hub_settings


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/a", "HF_HOME": "/b"}, "/a"),
        ({"HF_HOME": "/b", "XDG_CACHE_HOME": "/c"}, "/b/hub"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/hub"),
    ],
)
def test_the_cache_is_where_the_library_has_it(environment: dict[str, str], cache: str) -> None:
    assert hub_settings(environment).cache == Path(cache)


def test_without_a_word_all_is_as_the_library_has_it() -> None:
    settings = hub_settings({})
    assert settings.endpoint == DEFAULT_ENDPOINT
    assert settings.cache == Path.home() / ".cache" / "huggingface" / "hub"
    assert not settings.offline


def test_a_home_is_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", "/there")
    assert hub_settings({"HF_HUB_CACHE": "$WHERE/x"}).cache == Path("/there/x")
    assert hub_settings({"HF_HUB_CACHE": "~/x"}).cache == Path.home() / "x"
    assert hub_settings({"HF_HUB_CACHE": "~no-such-user/x"}).cache == Path("~no-such-user/x")


def test_an_endpoint_loses_its_last_slash() -> None:
    assert hub_settings({"HF_ENDPOINT": "http://mirror:8080/hf/"}).endpoint == (
        "http://mirror:8080/hf"
    )


@pytest.mark.parametrize("value", ["1", "on", "Yes", "TRUE"])
def test_offline_in_whatever_words(value: str) -> None:
    assert hub_settings({"HF_HUB_OFFLINE": value}).offline
    assert hub_settings({"TRANSFORMERS_OFFLINE": value}).offline


@pytest.mark.parametrize("value", ["", "0", "off", "no"])
def test_not_offline(value: str) -> None:
    assert not hub_settings({"HF_HUB_OFFLINE": value}).offline


@pytest.mark.parametrize("endpoint", ["hub", "ftp://hub", "https://me:pw@hub"])
def test_an_endpoint_that_is_none_is_not_shown(endpoint: str) -> None:
    with pytest.raises(InvalidConfigError) as caught:
        hub_settings({"HF_ENDPOINT": endpoint})
    assert caught.value.field == "HF_ENDPOINT"
    assert "pw" not in caught.value.message
