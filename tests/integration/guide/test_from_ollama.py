"""The section "From Ollama": every model of a store, and its chats with roles and history."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from integration.guide.command_line import done
from integration.model_service import serving
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router import LLMRouter

TEMPLATE = (
    "{{ if .System }}<|start|>system\n{{ .System }}<|im_end|>{{ end }}"
    "{{ if .Prompt }}<|start|>user\n{{ .Prompt }}<|im_end|>{{ end }}"
    "<|start|>assistant\n{{ .Response }}<|im_end|>"
)
CHAT = [
    {"role": "user", "content": "Hello"},
    {"role": "assistant", "content": "Hi."},
    {"role": "user", "content": "And again?"},
]
PROMPT = (
    "<|start|>system\nBe brief.<|im_end|><|start|>user\nHello<|im_end|><|start|>assistant\nHi."
    "<|im_end|><|start|>user\nAnd again?<|im_end|><|start|>assistant\n"
)

ONE_THREAD = {"engine": {"threads": 1}}


def put_models(store: OllamaFolder, weights: bytes) -> None:
    """The guide's model, as Ollama keeps it, and one without anything but its weights."""
    files = OllamaFiles(weights, config={"model_format": "gguf", "model_type": "7B"})
    files.add("template", TEMPLATE).add("system", "Be brief.").add("license", "MIT")
    store.put(files.add("params", {"temperature": 0, "num_ctx": 200}), "llama2")
    store.put(OllamaFiles(weights, config=None), "bare", "7b")


async def test_from_the_list_to_the_chat(
    tmp_path: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = OllamaFolder(tmp_path / "ollama")
    monkeypatch.setenv("OLLAMA_MODELS", str(store.folder))
    put_models(store, await asyncio.to_thread(model_file.read_bytes))
    settings = {"models": {"cacheDir": str(tmp_path / "cache"), "ollamaDir": str(store.folder)}}
    async with serving({}, {**settings, **ONE_THREAD}) as service:
        command = ("migrate", "ollama", "--target", service.address)
        await asyncio.to_thread(done, *command, "--yes")
        second = await asyncio.to_thread(done, *command, "--yes")
        assert "nothing to do" in second.said
        async with LLMRouter(target=service.address) as router:
            views = {view.record.id: view.record for view in await router.list_models()}
            assert set(views) == {"llama2:latest", "bare:7b"}
            llama2 = views["llama2:latest"]
            assert llama2.format == "gguf"
            assert llama2.source == "ollama://llama2:latest"
            assert llama2.config.context_length == 200  # and not "7B"
            assert views["bare:7b"].config.context_length is None
            assert (llama2.config.system, llama2.config.license) == ("Be brief.", "MIT")

            answer = await router.process(prompt="Hello", model="llama2", max_tokens=4)
            assert answer.metrics.completion_tokens == 4
            chat = await router.process(
                messages=CHAT, model="llama2", max_tokens=4, prompt_logprobs=0
            )
            said = "".join(token.token for token in chat.prompt_logprobs)
            assert said == PROMPT
            plain = await router.process(PROMPT, raw=True, model="llama2", max_tokens=4)
            assert chat.response == plain.response

            mine = {"id": "mine", "format": "gguf", "source": "ollama://llama2"}  # as the guide
            view = await router.register_model(mine)
            assert view.record.config.system == "Be brief."
            again = await router.process(messages=CHAT, model="mine", max_tokens=4)
            assert again.response == chat.response
    assert not (tmp_path / "cache").exists()  # nothing was copied
