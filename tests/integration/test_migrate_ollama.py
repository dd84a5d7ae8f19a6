"""From Ollama: its store and its server, through the command, to answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.adapted_model import AdaptedModel, adapted_model
from integration.ollama_world import BY_MESSAGES, BY_TURNS, CHAT, TURNS, whole, world
from integration.processes import llm_router
from integration.upstreams.ollama_list_server import OllamaListServer
from integration.upstreams.ollama_store import OllamaFiles, OllamaFolder
from llm_runner_router.migrate.ollama.model import Way
from llm_runner_router.migrate.ollama.registration import (
    Fate,
)
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.registry.sources.source_settings import LABEL
from llm_runner_router.types import Message, ModelFormat, Request, Role
from unit import tiny_model


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tiny_model.write(tmp_path_factory.mktemp("tiny") / "tiny.gguf").read_bytes()


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> AdaptedModel:
    return adapted_model(tmp_path_factory.mktemp("adapted"))


def facts(record: ModelRecord) -> dict[str, str]:
    """What the labels say of a model."""
    return {key: value for key, value in record.labels.items() if key != LABEL}


async def test_contract_13_every_model_of_the_store_with_all_that_belongs_to_it(
    tmp_path: Path, weights: bytes
) -> None:
    async with world(tmp_path) as here:
        here.store.put(whole(weights), "llama2", "latest")
        here.store.put(whole(weights, BY_MESSAGES), "llama2", "7b")
        here.store.put(OllamaFiles(weights), "repo-GGUF", "Q4_0", host="hf.co", namespace="org")
        before = {path: path.stat().st_mtime_ns for path in here.store.folder.rglob("*")}
        command = ("migrate", "ollama", "--target", here.service.address, "--json")
        around = here.environment

        dry = await llm_router(*command, "--dry-run", environment=around)
        assert dry.code == 0, dry.err
        assert (await here.remote.list_models()).models == ()
        done = await llm_router(*command, "--yes", environment=around)
        assert done.code == 0, done.err
        assert json.loads(dry.out) == {**json.loads(done.out), "dryRun": True}
        assert [
            (one["name"], one["alias"], one["runs"]) for one in json.loads(done.out)["models"]
        ] == [
            ("hf.co/org/repo-GGUF:Q4_0", None, "in place"),
            ("llama2:7b", None, "in place"),
            ("llama2:latest", "llama2", "in place"),
        ]

        record = (await here.remote.get_model("llama2:latest")).record
        assert record.source == "ollama://llama2:latest"
        assert record.config.system == "Be kind."
        assert record.config.license == "MIT"
        assert (record.config.temperature, record.config.stop) == (0, ("###",))
        assert record.config.context_length == 128
        assert record.config.chat_template
        assert facts(record) == {
            "family": "llama",
            "parameter_size": "7B",
            "quantization": "Q4_0",
        }
        assert record.capabilities == ("text-generation",)
        seven = (await here.remote.get_model("llama2:7b")).record
        assert seven.capabilities == ("text-generation", "tools")
        bare = (await here.remote.get_model("hf.co/org/repo-GGUF:Q4_0")).record
        assert bare.config.context_length is None
        assert facts(bare) == {"family": "llama", "quantization": "F32"}

        again = await here.plan()
        assert {line.fate for line in again.values()} == {Fate.UNCHANGED}
        assert not any(line.changes for line in again.values())
        assert {path: path.stat().st_mtime_ns for path in here.store.folder.rglob("*")} == before
        assert not (tmp_path / "cache").exists()


async def test_contract_13_roles_and_history_make_the_prompt_that_ollama_makes(
    tmp_path: Path, weights: bytes
) -> None:
    async with world(tmp_path) as here:
        here.store.put(whole(weights), "turns")
        here.store.put(whole(weights, BY_MESSAGES), "messages")
        await here.migrate()
        for model in ("turns", "messages"):
            own = "<|start|>system\nBe kind.<|im_end|>"
            assert await here.prompt(model, *CHAT) == own + TURNS
            said = "<|start|>system\nBe brief.<|im_end|>"
            assert (
                await here.prompt(model, Message(Role.SYSTEM, "Be brief."), *CHAT) == said + TURNS
            )


async def test_what_cannot_be_taken_over_is_told_one_by_one_and_the_others_go_on(
    tmp_path: Path, weights: bytes
) -> None:
    async with world(tmp_path) as here:
        here.store.put(whole(weights), "good")
        missing = OllamaFiles(weights + b"m")
        here.store.put(missing, "missing")
        here.store.blob_path(missing.weights).unlink()
        cut = OllamaFiles(weights + b"cut")
        here.store.put(cut, "cut")
        here.store.blob_path(cut.weights).write_bytes(b"GGUF")
        flipped = OllamaFiles(weights + b"flipped")
        here.store.put(flipped, "flipped")
        here.store.blob_path(flipped.weights).write_bytes(weights + b"flippeD")
        here.store.put(OllamaFiles(weights).add("adapter", b"GGUFx"), "adapted")
        here.store.put(OllamaFiles(weights).add("adapter", b"algg\1"), "older")
        changed = OllamaFiles(weights).add("adapter", b"GGUF as it was")
        here.store.put(changed, "changed")
        here.store.blob_path(b"GGUF as it was").write_bytes(b"GGUF as it is!")
        here.store.put(OllamaFiles(b"GGUF" + b"\0" * 64), "nonsense")
        here.store.put_manifest(b"no json", "garbage")
        here.store.put_manifest(b"{}", "good", "bad tag")
        here.store.put(OllamaFiles(weights).add("projector", b"eyes"), "eyes")
        (here.store.folder / "manifests" / ".DS_Store").write_bytes(b"x")

        lines = await here.migrate()
        assert {name for name, line in lines.items() if line.fate is Fate.ADDED} == {
            "good:latest",
            "eyes:latest",
        }
        why = {name: line.notes[0] for name, line in lines.items() if line.notes}
        assert "No such file" in why["missing:latest"]
        assert "4 bytes" in why["cut:latest"]
        assert "sha256" in why["flipped:latest"]
        assert "not run here with its adapter: " in why["adapted:latest"]
        assert "the form ggla" in why["older:latest"]
        assert "('adapter'): has the sha256" in why["changed:latest"]
        assert "no JSON" in why["garbage:latest"]
        assert why["nonsense:latest"]
        assert (
            why["registry.ollama.ai/library/good:bad tag"] == "this is no name of a model at Ollama"
        )
        assert "pictures" in why["eyes:latest"]
        found = await here.remote.list_models()
        assert [view.record.id for view in found.models] == ["eyes:latest", "good:latest"]
        again = await here.plan()
        assert not any(line.changes for line in again.values())


async def test_a_store_that_the_service_does_not_read_is_named_by_paths(
    tmp_path: Path, weights: bytes
) -> None:
    async with world(tmp_path, shared=False) as here:
        here.store.put(whole(weights), "llama2")
        (line,) = (await here.migrate()).values()
        assert line.notes == ()
        assert line.model is not None
        record = (await here.remote.get_model("llama2:latest")).record
        assert record.source == line.model.record.source == str(here.store.blob_path(weights))
        assert record.config.system == "Be kind."
        assert await here.prompt("llama2", *CHAT) == "<|start|>system\nBe kind.<|im_end|>" + TURNS
        for store in (None, here.store.folder):
            (again,) = (await here.plan(store)).values()
            assert again.fate is Fate.UNCHANGED
            assert not again.changes


async def test_a_context_that_the_weights_do_not_have_keeps_no_model_from_answering(
    tmp_path: Path, weights: bytes
) -> None:
    made = f"the file was made for {tiny_model.CONTEXT}"
    async with world(tmp_path) as here:
        here.store.put(OllamaFiles(weights).add("params", {"num_ctx": 131072}), "long")
        (line,) = (await here.migrate()).values()
        assert line.fate is Fate.ADDED
        assert list(line.notes) == [f"num_ctx 131072 is {tiny_model.CONTEXT} here: {made}"]
        record = (await here.remote.get_model("long:latest")).record
        assert record.source == "ollama://long:latest"
        assert record.config.context_length == tiny_model.CONTEXT
        assert await here.answer("long")


async def test_a_model_goes_with_its_adapter_or_not_at_all(
    tmp_path: Path, adapted: AdaptedModel
) -> None:
    async with world(tmp_path) as here:
        here.store.put(OllamaFiles(adapted.base), "base")
        here.store.put(OllamaFiles(adapted.base).add("adapter", adapted.adapter), "adapted")
        here.store.put(OllamaFiles(adapted.base).add("adapter", adapted.other), "wrong")
        lines = await here.migrate()
        assert lines["adapted:latest"].way is Way.IN_PLACE
        assert lines["adapted:latest"].notes == ()
        assert "not run here with its adapter: " in lines["wrong:latest"].notes[0]
        record = (await here.remote.get_model("adapted:latest")).record
        assert record.source == "ollama://adapted:latest"
        assert await here.answer("adapted") != await here.answer("base")
        again = await here.plan()
        assert again["adapted:latest"].fate is Fate.UNCHANGED
        assert not any(line.changes for line in again.values())


async def test_an_adapter_is_not_lost_where_weights_are_named_by_paths(
    tmp_path: Path, adapted: AdaptedModel
) -> None:
    files = OllamaFiles(adapted.base).add("adapter", adapted.adapter)
    async with world(tmp_path, shared=False) as here:
        here.store.put(files, "adapted")
        (line,) = (await here.migrate()).values()
        assert line.fate is Fate.FAILED
        assert "adapter, which would be lost" in line.notes[-1]
        other = OllamaFolder(tmp_path / "other")
        other.put(files, "adapted")
        (line,) = (await here.plan(other.folder)).values()
        assert line.fate is Fate.FAILED
        assert "it has an adapter, which would be lost" in line.notes[0]
        assert (await here.remote.list_models()).models == ()
        assert await here.remote.list_aliases() == ()


async def test_weights_that_models_share_are_read_once(tmp_path: Path, weights: bytes) -> None:
    async with world(tmp_path) as here:
        for name in ("a", "b", "c"):
            here.store.put(whole(weights), name)
        assert len(await here.plan()) == 3
        verified = [told for told in here.told if told.phase == "verifying"]
        assert [told.done_bytes for told in verified].count(len(weights)) == 1
        await here.migrate()
        here.told.clear()
        assert {line.fate for line in (await here.plan()).values()} == {Fate.UNCHANGED}
        assert here.told == []


async def test_a_server_answers_for_what_is_not_here(tmp_path: Path, weights: bytes) -> None:
    async with world(tmp_path) as here, OllamaListServer().running() as server:
        files = whole(weights)
        here.store.put(files, "llama2")
        here.store.put(OllamaFiles(weights), "other")
        adapted = OllamaFiles(weights).add("adapter", b"GGUFx")
        here.store.put(adapted, "adapted")
        server.add("llama2:latest", files.manifest)
        server.add("other:latest", b"another manifest", license="MIT", capabilities=["completion"])
        server.add("adapted:latest", adapted.manifest, license=["A", " ", "B"])
        server.add("far:7b", details=None, capabilities=["completion", "tools"])
        server.add("embed:latest", capabilities=["embedding"])
        server.add("nomic-embed-text:latest", details={"family": "nomic-bert"})
        server.add("a/b/c/d/e:f")

        lines = await here.migrate(server.address)
        assert lines["llama2:latest"].way is Way.IN_PLACE
        assert lines["other:latest"].way is Way.SERVER
        assert lines["adapted:latest"].way is Way.SERVER
        assert "adapter" in lines["adapted:latest"].notes[0]
        assert lines["far:7b"].way is Way.SERVER
        for name in ("embed:latest", "nomic-embed-text:latest"):
            assert "no text" in lines[name].notes[0]
        assert lines["a/b/c/d/e:f"].fate is Fate.FAILED

        far = (await here.remote.get_model("far:7b")).record
        assert (far.format, far.provider, far.source) == (ModelFormat.API, "ollama", "far:7b")
        assert far.endpoint.base_url == server.address
        assert far.capabilities == ("text-generation", "tools")
        assert (facts(far), far.config.license) == ({}, None)
        other = (await here.remote.get_model("other:latest")).record
        assert other.labels["parameter_size"] == "7B"
        assert other.config.license == "MIT"
        assert other.config.context_length is None
        assert (await here.remote.get_model("adapted:latest")).record.config.license == "A\n\nB"

        answer = await here.remote.process(
            Request(messages=(Message(Role.SYSTEM, "s"), *CHAT), model="far:7b")
        )
        assert answer.response == "one two three"
        sent: Any = server.seen[-1].body
        assert sent["model"] == "far:7b"
        assert [(one["role"], one["content"]) for one in sent["messages"]] == [
            ("system", "s"),
            ("user", "one"),
            ("assistant", "two"),
            ("user", "three"),
        ]
        again = await here.plan(host=server.address)
        assert not any(line.changes for line in again.values())


async def test_a_model_that_the_server_does_not_show_is_told(tmp_path: Path) -> None:
    async with world(tmp_path) as here, OllamaListServer().running() as server:
        server.add("far:7b")
        server.shown.clear()
        (line,) = (await here.plan(host=server.address)).values()
        assert line.fate is Fate.FAILED
        assert "model not found" in line.notes[0]


async def test_a_template_of_ollama_stands_for_a_broken_one_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tiny_model, "TEMPLATE", "{% broken")
    broken = tiny_model.write(tmp_path / "broken.gguf").read_bytes()
    async with world(tmp_path) as here:
        here.store.put(OllamaFiles(broken).add("template", BY_TURNS), "with")
        here.store.put(OllamaFiles(broken), "without")
        lines = await here.migrate()
        assert lines["with:latest"].fate is Fate.ADDED
        assert await here.prompt("with", *CHAT) == TURNS
        assert lines["without:latest"].fate is Fate.FAILED
        assert "chat_template" in lines["without:latest"].notes[0]
