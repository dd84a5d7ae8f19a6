"""The section "Version Migration": its programs, in the old form and in the new one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from llm_runner_router import LLMRouter, Response
from llm_runner_router.errors import InvalidConfigError

NEW = {
    "performance": {"maxConcurrent": 7},
    "cache": {"enabled": False},
    "logging": {"level": "warn"},
}
OLD = {"maxConcurrentRequests": 7, "enableCaching": False, "logLevel": "warn"}
RENAMED = {
    "maxConcurrentRequests is deprecated: use performance.maxConcurrent",
    "enableCaching is deprecated: use cache.enabled",
    "logLevel is deprecated: use logging.level",
}


DEPRECATED = " is deprecated: use "


async def old_program(router: LLMRouter, path: str) -> Response:
    """Steps 3 and 4 of the guide as they were."""
    await router.add_model({"name": "my-model", "path": path, "type": "gguf"})
    answer: Response = await router.generate({"input": "Hello world", "max_tokens": 5})
    return answer


async def settings(router: LLMRouter) -> Mapping[str, Any]:
    async with router:
        return await router.get_config()


def old_router(*arguments: Any, **options: Any) -> tuple[LLMRouter, set[str]]:
    """A router made as an older version had it, and what was told of that."""
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as told:
        made = LLMRouter(*arguments, **options)
    return made, {str(each.message) for each in told}


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def test_1_0_step_2_flat_options_of_the_constructor() -> None:
    router, told = old_router(OLD)
    assert told == RENAMED
    got = await settings(router)
    assert got == await settings(LLMRouter(NEW))
    assert got["performance"]["max_concurrent"] == 7
    assert got["cache"]["enabled"] is False
    assert got["logging"]["level"] == "warn"


async def test_1_0_step_2_as_keywords() -> None:
    router, told = old_router(**OLD)
    assert told == RENAMED
    assert await settings(router) == await settings(LLMRouter(**NEW))


async def test_1_0_step_2_a_wrong_value_is_named_as_it_was_written() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        LLMRouter({"maxConcurrentRequests": 101})
    assert caught.value.field == "maxConcurrentRequests"
    assert caught.value.value == 101
    assert "1 to 100" in caught.value.allowed


async def test_1_0_step_3_and_4_models_and_calls(router: LLMRouter, model_file: Path) -> None:
    with pytest.warns(DeprecationWarning, match=DEPRECATED) as told:
        old = await old_program(router, str(model_file))
    words = {str(each.message).split(" ", 1)[0] for each in told}
    assert words == {"add_model", "path", "type", "generate", "input"}
    await router.unregister_model("my-model")
    view = await router.register_model(
        {
            "id": "my-model",
            "name": "My Model",
            "format": "gguf",
            "source": str(model_file),
            "config": {"contextLength": 128},
        }
    )
    assert (view.record.id, view.record.name) == ("my-model", "My Model")
    assert view.record.config.context_length == 128
    new = await router.process({"prompt": "Hello world", "maxTokens": 5})
    assert new.response == old.response
    assert new.metrics.completion_tokens == old.metrics.completion_tokens == 5


async def test_1_0_step_3_by_keywords_as_python_has_it(router: LLMRouter, model_file: Path) -> None:
    view = await router.register_model(
        "my-model",
        model_file,
        name="My Model",
        format="gguf",
        config={"contextLength": 128},
    )
    assert (view.record.id, view.record.name) == ("my-model", "My Model")


async def test_0_x_the_constructor_takes_a_path(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(NEW))
    router, told = old_router("./settings.json")
    assert told == {"LLMRouter(path) is deprecated: use LLMRouter(config_file=path)"}
    got = await settings(router)
    assert got["performance"]["max_concurrent"] == 7
    assert got == await settings(LLMRouter({"configFile": "./settings.json"}))
    assert got == await settings(LLMRouter(config_file=file))


async def test_0_x_load_model_is_asynchronous_now(router: LLMRouter, model_file: Path) -> None:
    await router.initialize()
    await router.register_model("model-id", model_file)
    assert not (await router.get_model("model-id")).loaded
    assert (await router.load_model("model-id")).loaded


async def test_0_x_what_was_registered_loads_on_demand(router: LLMRouter, model_file: Path) -> None:
    await router.register_model("model-id", model_file)
    await router.process("hello", max_tokens=1)
    assert (await router.get_model("model-id")).loaded
