"""A program of v1.0, line by line. Warnings are errors here: none of this warns."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router import (
    AlreadyExistsError,
    InvalidConfigError,
    InvalidRequestError,
    ModelNotFoundError,
)
from llm_runner_router.compat.v1_0 import LLMRouter
from llm_runner_router.runtime import Runtime
from unit.echoes import EchoLoader, collect

MODEL = {"name": "my-model", "path": "./models/model.gguf", "type": "gguf"}
USAGE = {"prompt_tokens": 11, "completion_tokens": 11, "total_tokens": 22}


@pytest.fixture(autouse=True)
def loader(monkeypatch: pytest.MonkeyPatch) -> EchoLoader:
    loader = EchoLoader()
    monkeypatch.setattr("llm_runner_router.router.Runtime", lambda loaded: Runtime(loaded, loader))
    return loader


async def test_the_whole_of_it(loader: EchoLoader) -> None:
    options = {"maxConcurrentRequests": 10, "enableCaching": False, "logLevel": "info"}
    async with LLMRouter(options) as router:
        await router.add_model(MODEL)
        assert [view.record.id for view in await router.get_models()] == ["my-model"]
        asked = {"input": "Hello world", "max_tokens": 50, "model_id": "my-model", "top_p": 0.9}
        meant = {"text": "Hello world", "model": "my-model", "usage": USAGE}
        assert await router.generate(asked) == meant
        assert await router.generate("Hello world") == meant
        assert await router.generate(input="Hello world") == meant
        request = loader.providers["my-model"].calls[0].request
        assert (request.prompt, request.max_tokens, request.top_p) == ("Hello world", 50, 0.9)
        changed = await router.set_config({"maxConcurrentRequests": 3})
        assert changed["maxConcurrentRequests"] == 3
        assert (await router.get_config())["maxConcurrentRequests"] == 3
        assert (await router.status()).healthy
        assert (await router.health()).ready
        await router.remove_model("my-model")
        assert await router.get_models() == []


async def test_the_configuration_is_flat() -> None:
    async with LLMRouter({"maxConcurrentRequests": 4, "enableCaching": False}) as router:
        config = {**await router.get_config()}
        assert config == {
            "maxConcurrentRequests": 4,
            "requestTimeout": 30000,
            "enableCaching": False,
            "cacheTTL": 3600,
            "logLevel": "info",
            "logFile": None,
            "modelCacheDir": "./models",
            "autoDownload": False,
            "routingStrategy": "balanced",
            "enableFallback": True,
        }
        config["requestTimeout"] = 5000
        assert await router.set_config(config) == config
        assert await router.get_config() == config


async def test_streams() -> None:
    async with LLMRouter(enableCaching=False) as router:
        await router.add_model(**MODEL)
        meant: list[Any] = [
            {"event": "token", "token": "Hello"},
            {"event": "token", "token": " world"},
            {"event": "end", "text": "Hello world", "model": "my-model", "usage": USAGE},
        ]
        assert await collect(router.generate_stream({"input": "Hello world"})) == meant
        assert await collect(await router.generate("Hello world", stream=True)) == meant
        answer: Any = await router.generate({"input": "Hello world", "stream": True})
        assert await collect(answer) == meant


async def test_batches() -> None:
    async with LLMRouter() as router:
        await router.add_model(MODEL)
        good, bad = await router.generate_batch(["a", {"input": "b", "model_id": "no"}])
        assert good["text"] == "a"  # type: ignore[index]
        assert isinstance(bad, ModelNotFoundError)
        for wrong in ("abc", {"requests": ["a"]}, None):
            with pytest.raises(InvalidRequestError, match="a list of requests"):
                await router.generate_batch(wrong)  # type: ignore[arg-type]


async def test_a_model_by_its_id_and_old_names() -> None:
    async with LLMRouter() as router:
        view = await router.add_model("m", path="/x.gguf", parameters={"max_new_tokens": 5})
        assert (view.record.id, view.record.source) == ("m", "/x.gguf")
        assert view.record.config.max_tokens == 5
        with pytest.raises(InvalidRequestError, match=r"^model"):
            await router.add_model(5)  # type: ignore[arg-type]


async def test_models_are_loaded_and_unloaded_as_in_v0(loader: EchoLoader) -> None:
    async with LLMRouter() as router:
        await router.add_model(MODEL)
        assert (await router.load_model("my-model")).loaded
        assert list((await router.status()).loaded_models) == ["my-model"]
        await router.generate("a")
        assert loader.loads == 1
        await router.unload_model("my-model")
        assert list((await router.status()).loaded_models) == []
        with pytest.raises(ModelNotFoundError, match="absent"):
            await router.load_model("absent")


async def test_the_first_use_starts_it() -> None:
    router = LLMRouter()
    await router.add_model(MODEL)
    await router.close()


async def test_a_program_that_starts_again_adds_its_models_again(tmp_path: Path) -> None:
    options = {"registry": {"path": str(tmp_path / "registry.sqlite")}}
    async with LLMRouter(options) as router:
        first = await router.add_model(MODEL)
    async with LLMRouter(options) as router:
        assert (await router.add_model(MODEL)).record == first.record
        with pytest.raises(AlreadyExistsError, match=r"'my-model' .* its source is"):
            await router.add_model({**MODEL, "path": "./other.gguf"})


async def test_a_path_as_in_v0(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"performance": {"maxConcurrent": 4}}))
    async with LLMRouter(str(file), requestTimeout=4000) as router:
        config = await router.get_config()
        assert (config["maxConcurrentRequests"], config["requestTimeout"]) == (4, 4000)
    with pytest.raises(InvalidConfigError, match="target"):
        LLMRouter(str(file), target="localhost:1")
    with pytest.raises(InvalidConfigError, match=r"configuration: '…'"):
        LLMRouter(["sk-secret"])  # type: ignore[arg-type]
