from __future__ import annotations

from pathlib import Path

import genai_prices.data
import pytest

import llm_runner_router.providers
from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.providers.known import PROVIDERS, KnownProvider, known
from llm_runner_router.registry.loader import API_PROVIDERS


def test_known_ones() -> None:
    assert known("groq").kind == "openai"
    assert known("groq").key_variable == "GROQ_API_KEY"
    assert known("ollama").base_url == "http://127.0.0.1:11434"
    assert known("openai-compatible").base_url is None


def test_any_llm_reaches_the_rest() -> None:
    assert known("any-llm:cohere") == KnownProvider("any-llm:cohere", "any-llm", prices_id="cohere")


@pytest.mark.parametrize("name", ["", "nobody", "any-llm:", "OpenAI"])
def test_unknown_ones_are_named(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"one of openai, .*any-llm:NAME") as raised:
        known(name)
    assert raised.value.field == "provider"


def test_every_kind_has_a_module_and_every_price_a_source() -> None:
    folder = Path(llm_runner_router.providers.__file__).parent
    for provider in PROVIDERS.values():
        module, _ = API_PROVIDERS[provider.kind]
        assert (folder / f"{module}.py").is_file()
    priced = {provider.prices_id for provider in PROVIDERS.values()} - {None}
    assert priced <= {provider.id for provider in genai_prices.data.providers}


def test_whoever_has_a_key_by_custom_has_an_address_or_none_at_all() -> None:
    for provider in PROVIDERS.values():
        if provider.key_variable is not None and provider.base_url is not None:
            assert provider.base_url.startswith("https://")
