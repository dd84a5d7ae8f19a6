from __future__ import annotations

import json

import pytest

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.records import ModelConfig
from unit.echoes import echo_runtime, model

GOOD = "{% for m in messages %}{{ m['content'] }}{% endfor %}"


@pytest.mark.parametrize("source", ["{% for %}", "{{ messages", "{% include 'x' %}"])
async def test_what_is_no_template_is_never_kept(source: str) -> None:
    bad = model("m", config=ModelConfig(chat_template=source))
    async with echo_runtime() as runtime:
        with pytest.raises(InvalidRequestError) as caught:
            await runtime.register_model(model("new", config=bad.config))
        assert caught.value.field == "config.chat_template"
        for path in ("config", "config.chat_template"):
            with pytest.raises(InvalidRequestError, match=r"config\.chat_template"):
                await runtime.update_model(bad, [path])
        entry = {"id": "n", "format": "gguf", "source": "/n", "config": {"chatTemplate": source}}
        document = json.dumps({"version": "1.2.0", "models": [entry]}).encode()
        with pytest.raises(InvalidRequestError, match=r"models\[0\]\.config\.chat_template"):
            await runtime.import_registry(document)
        (view,) = (await runtime.list_models()).models
        assert view.record.config.chat_template is None


async def test_a_template_is_kept_as_it_is() -> None:
    async with echo_runtime() as runtime:
        wanted = model("m", config=ModelConfig(chat_template=GOOD))
        view = await runtime.update_model(wanted, ["config.chat_template"])
        assert view.record.config.chat_template == GOOD


@pytest.mark.parametrize("source", [7, "x" * 65_537])
async def test_what_is_no_text_or_too_long_is_refused_as_such(source: object) -> None:
    async with echo_runtime() as runtime:
        wrong = model("m", config=ModelConfig(chat_template=source))  # type: ignore[arg-type]
        with pytest.raises(InvalidRequestError, match=r"config\.chat_template: .* characters"):
            await runtime.update_model(wrong, ["config.chat_template"])
