"""The section "From Hugging Face Transformers": its program with another import, and the router's.

Both count tokens as Transformers do: ``max_length`` is prompt and answer, ``max_new_tokens`` and
``max_tokens`` the answer alone.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from integration.guide import gpt2_checkpoint
from integration.guide.command_line import done
from integration.model_service import serving
from llm_runner_router import LLMRouter
from llm_runner_router.compat.transformers import pipeline
from llm_runner_router.errors import InvalidRequestError

HELLO = "Hello world"
SETTINGS = {"engine": {"threads": 1, "kvType": "f32"}, "models": {"cacheDir": "./cache"}}


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gpt2_checkpoint.write(tmp_path_factory.mktemp("hub") / "gpt2")


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_old_program_with_another_import(gpt2: Path) -> None:
    prompt = len(gpt2_checkpoint.byte_level_tokenizer().encode(HELLO).ids)
    with pipeline("text-generation", model=gpt2, config=SETTINGS) as generator:
        (result,) = generator(HELLO, max_length=50, do_sample=False)
        assert result.keys() == {"generated_text"}
        assert result["generated_text"].startswith(HELLO)
        ids = generator(HELLO, max_length=50, do_sample=False, return_tensors=True)
        assert len(ids[0]["generated_token_ids"]) == 50
        answer = generator(HELLO, max_new_tokens=50, do_sample=False, return_tensors=True)
        assert len(answer[0]["generated_token_ids"]) == prompt + 50
        with pytest.raises(InvalidRequestError, match="max_length"):
            generator(HELLO, max_length=prompt, do_sample=False)


async def test_the_new_program(gpt2: Path) -> None:
    """As it stands there; ``maxLength`` is another thing than ``maxTokens``, and warns."""
    model = {
        "id": "gpt2",
        "name": "GPT-2",
        "format": "hf",
        "source": str(gpt2),
        "config": {"maxLength": 50},
    }
    prompt = len(gpt2_checkpoint.byte_level_tokenizer().encode(HELLO).ids)
    request = {"prompt": HELLO, "model": "gpt2", "maxTokens": 50, "ignoreEos": True, "raw": True}
    async with LLMRouter(SETTINGS) as router:
        with pytest.warns(DeprecationWarning, match=r"config\.max_length .* use max_tokens"):
            await router.register_model(model)
        result = await router.process(request)
        assert result.model_used == "gpt2"
        assert result.metrics.prompt_tokens == prompt
        assert result.metrics.completion_tokens == 50
        assert (await router.get_model("gpt2")).details.architecture == "gpt2"


async def test_both_programs_say_the_same(gpt2: Path) -> None:
    def old() -> str:
        with pipeline("text-generation", model=gpt2, config=SETTINGS) as generator:
            (result,) = generator(HELLO, max_new_tokens=20, do_sample=False)
            text: str = result["generated_text"]
            return text

    said = await asyncio.to_thread(old)
    async with LLMRouter(SETTINGS) as router:
        await router.register_model({"id": "gpt2", "format": "hf", "source": str(gpt2)})
        result = await router.process(HELLO, raw=True, max_tokens=20, temperature=0)
    assert said == HELLO + result.response


async def test_a_folder_becomes_a_model_of_a_service(gpt2: Path, tmp_path: Path) -> None:
    settings = {**SETTINGS, "models": {"cacheDir": str(tmp_path / "cache")}}
    async with serving({}, settings) as service:
        command = ("migrate", "huggingface", gpt2, "--id", "gpt2", "--target", service.address)
        await asyncio.to_thread(done, *command)
        async with LLMRouter(target=service.address) as router:
            view = await router.get_model("gpt2")
            assert view.record.format == "hf"
            result = await router.process(HELLO, model="gpt2", max_tokens=5, raw=True)
            assert result.metrics.prompt_tokens > 0
