"""A second migration from Ollama takes over what has changed there, unless it was changed here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from integration.ollama_world import BY_TURNS, CHAT, TURNS, world
from integration.upstreams.ollama_store import OllamaFiles
from llm_runner_router.migrate.ollama.registration import Fate
from unit import tiny_model


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_model.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf").read_bytes()


async def test_what_changes_at_ollama_later_is_taken_over_unless_it_was_changed_here(
    tmp_path: Path, weights: bytes
) -> None:
    def made(system: str, most: int, temperature: float) -> OllamaFiles:
        files = OllamaFiles(weights).add("template", BY_TURNS).add("system", system)
        return files.add("params", {"num_predict": most, "temperature": temperature})

    async with world(tmp_path) as here:
        here.store.put(made("Be kind.", 3, 0), "my")
        await here.migrate()
        here.store.put(made("Be brief.", 6, 0), "my")
        (line,) = (await here.plan()).values()
        assert (line.fate, line.changes) == (Fate.UPDATED, True)
        assert line.notes == ("changed at Ollama: maxTokens, system",)
        (done,) = (await here.migrate()).values()
        assert done == line
        config = (await here.remote.get_model("my:latest")).record.config
        assert (config.system, config.max_tokens) == ("Be brief.", 6)
        brief = "<|start|>system\nBe brief.<|im_end|>" + TURNS
        assert await here.prompt("my", *CHAT) == brief
        (again,) = (await here.plan()).values()
        assert (again.fate, again.changes, again.notes) == (Fate.UNCHANGED, False, ())

        record = (await here.remote.get_model("my:latest")).record
        mine = replace(record, config=replace(record.config, temperature=0.5))
        await here.remote.update_model(mine, ["config.temperature"])
        (own,) = (await here.plan()).values()
        assert (own.fate, own.notes) == (Fate.UNCHANGED, ())
        here.store.put(made("Be slow.", 6, 1), "my")
        (last,) = (await here.migrate()).values()
        assert last.fate is Fate.UPDATED
        assert last.notes == (
            "changed at Ollama: system",
            "changed at Ollama: temperature; the record was changed here too, and stays",
        )
        config = (await here.remote.get_model("my:latest")).record.config
        assert (config.system, config.temperature) == ("Be slow.", 0.5)
        (told,) = (await here.plan()).values()
        assert (told.fate, told.notes) == (Fate.UNCHANGED, last.notes[1:])


async def test_a_path_follows_the_weights_of_its_model(tmp_path: Path, weights: bytes) -> None:
    other = tiny_model.write(tmp_path / "other.gguf", scale=2.0).read_bytes()
    async with world(tmp_path, shared=False) as here:
        here.store.put(OllamaFiles(weights), "my")
        await here.migrate()
        here.store.put(OllamaFiles(other).add("system", "Be kind."), "my")
        (line,) = (await here.migrate()).values()
        assert line.fate is Fate.UPDATED
        assert line.notes == ("changed at Ollama: system, weights",)
        record = (await here.remote.get_model("my:latest")).record
        assert record.source == line.source == str(here.store.blob_path(other))
        assert record.config.system == "Be kind."
        (again,) = (await here.plan()).values()
        assert not again.changes
