from __future__ import annotations

import pytest

from llm_runner_router.errors import UnsupportedError
from llm_runner_router.providers.api import ApiProvider
from llm_runner_router.registry.records import ModelConfig, ModelDetails, ModelRecord
from llm_runner_router.types import ModelFormat


def provider(context: int | None) -> ApiProvider:
    config = ModelConfig(context_length=context)
    return ApiProvider(ModelRecord("m", "m", ModelFormat.API, "big", config, provider="groq"))


async def test_what_is_known_of_a_model_behind_an_api() -> None:
    api = provider(4096)
    assert api.details == ModelDetails(context_length=4096)
    assert provider(None).details == ModelDetails()
    api.release("nobody")
    await api.close()
    assert api.usable


def test_it_has_no_tokenizer() -> None:
    with pytest.raises(UnsupportedError, match=r"tokenize: .*groq"):
        provider(None).tokenize("x", add_special=True, parse_special=False)
    with pytest.raises(UnsupportedError, match=r"detokenize: .*groq"):
        provider(None).detokenize([1])
