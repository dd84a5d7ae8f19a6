from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.config.tree import Config
from llm_runner_router.errors import (
    EngineError,
    InvalidRequestError,
    ModelFileError,
    ProviderRejectedError,
    UnsupportedError,
)
from llm_runner_router.model_sources import ModelSources
from llm_runner_router.providers.echo import EchoProvider
from llm_runner_router.providers.openai import OpenAIProvider
from llm_runner_router.registry.loader import SourceLoader
from llm_runner_router.registry.records import Endpoint, LoadProgress, ModelRecord
from llm_runner_router.types import ModelFormat
from unit.echoes import model


def loader_of(folder: Path) -> SourceLoader:
    """A loader whose paths start from ``folder``."""
    return ModelSources.of(Config, folder).loader


def ignore(_: LoadProgress) -> None:
    """Nobody looks."""


async def test_what_cannot_be_loaded_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loader = loader_of(tmp_path)
    with pytest.raises(ModelFileError, match="is not in the folder"):
        await loader.load(replace(model(), format=ModelFormat.HF, source="./none"), ignore)
    with pytest.raises(InvalidRequestError, match="provider"):
        await loader.load(replace(model(), format=ModelFormat.API, provider="nobody"), ignore)
    with pytest.raises(ModelFileError, match="No such file"):
        await loader.load(model(), ignore)
    (tmp_path / "m.gguf").write_bytes(b"no model")
    with pytest.raises(ModelFileError):
        await loader.load(model(), ignore)
    monkeypatch.setitem(sys.modules, "llm_runner_router.providers.local", None)
    with pytest.raises(EngineError, match="cannot be used"):
        await loader.load(model(), ignore)


def behind(provider: str, **endpoint: object) -> ModelRecord:
    reached = Endpoint(**endpoint)  # type: ignore[arg-type]
    return ModelRecord("m", "m", ModelFormat.API, "big", provider=provider, endpoint=reached)


async def test_models_behind_apis_need_no_file(tmp_path: Path) -> None:
    loader = loader_of(tmp_path)
    echo = await loader.load(behind("echo", options={"chunks": 3}), ignore)
    assert isinstance(echo, EchoProvider)
    assert echo.behaviour.chunks == 3
    first = await loader.load(behind("vllm"), ignore)
    second = await loader.load(behind("openai-compatible", base_url="http://[::1]:1"), ignore)
    assert isinstance(first, OpenAIProvider)
    assert isinstance(second, OpenAIProvider)
    assert first._pool is second._pool
    connections = first._pool.aiohttp
    await loader._pool.close()
    assert connections.closed


async def test_a_provider_whose_library_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "llm_runner_router.providers.any_llm", None)
    loader = loader_of(tmp_path)
    with pytest.raises(UnsupportedError, match="any-llm:cohere needs a library"):
        await loader.load(behind("any-llm:cohere"), ignore)


async def test_a_key_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    loader = loader_of(tmp_path)
    with pytest.raises(ProviderRejectedError, match="env:GROQ_API_KEY"):
        await loader.load(behind("groq"), ignore)
    with pytest.raises(ProviderRejectedError, match=r"endpoint\.base_url"):
        await loader.load(behind("openai-compatible"), ignore)
