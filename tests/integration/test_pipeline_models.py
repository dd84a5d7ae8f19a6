"""Pipelines over models of the hub and of services answer as those over the folder do."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from integration.hub_client import running_hub
from integration.model_service import serving
from integration.upstreams.hub_server import Stored
from llm_runner_router.compat.transformers import pipeline
from unit import tiny_checkpoint as tiny

TEXT = "the quick"


def answers(**arguments: Any) -> list[Any]:
    """By the model's own settings, and where it is ended by a token."""
    with pipeline(**arguments) as generator:
        return [
            generator(TEXT, return_tensors=True),
            generator(TEXT, return_tensors=True, max_length=40),
            generator(TEXT, max_length=40),
        ]


def settings(folder: Path) -> dict[str, Any]:
    return {"models": {"cacheDir": str(folder)}, "engine": {"threads": 1}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its answer is ended by the ninth token of an answer that nothing ends."""
    made = tmp_path_factory.mktemp("made")
    plain = tiny.write(made / "plain")
    with pipeline(model=plain, config=settings(made / "cache")) as generator:
        (found,) = generator(TEXT, do_sample=False, max_new_tokens=9, return_tensors=True)
    generation = {"max_length": 6, "eos_token_id": [found["generated_token_ids"][-1], 299]}
    return tiny.write(made / "tiny", generation_config={**generation, "do_sample": False})


@pytest.fixture(scope="module")
def expected(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    found = answers(model=folder, config=settings(tmp_path_factory.mktemp("cache")))
    lengths = [len(records[0]["generated_token_ids"]) for records in found[:2]]
    assert lengths[0] == 6 < lengths[1] < 40
    return found


def stored(folder: Path) -> dict[str, bytes | Stored]:
    """As the hub has it: what is small lies in git."""
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return {
        name: content if name.endswith(".safetensors") else Stored(content, git=True)
        for name, content in files.items()
    }


async def test_a_model_of_the_hub(
    folder: Path, expected: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running_hub(tmp_path) as hub:
        hub.server.add("org/tiny", stored(folder))
        for name, value in hub.environment.items():
            monkeypatch.setenv(name, value)
        arguments = {"model": "org/tiny", "config": settings(tmp_path / "models")}
        assert await asyncio.to_thread(lambda: answers(**arguments)) == expected


async def test_a_model_of_a_service(folder: Path, expected: list[Any], tmp_path: Path) -> None:
    async with serving({}, settings(tmp_path)) as service:
        for model in (str(folder), "tiny"):  # which registers it; and by its id
            found = await asyncio.to_thread(
                lambda model=model: answers(model=model, target=service.address)
            )
            assert found == expected
