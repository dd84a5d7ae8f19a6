from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from llm_runner_router.errors import (
    AlreadyExistsError,
    InvalidRequestError,
    ModelBusyError,
    ModelNotFoundError,
    ResourceNotFoundError,
)
from llm_runner_router.registry.catalogue import Catalogue, Knowledge
from llm_runner_router.registry.memory.residency import Residency
from llm_runner_router.registry.puller import Puller
from llm_runner_router.registry.records import (
    Alias,
    AliasTarget,
    ModelPerformance,
    ModelQuery,
    PromptTemplate,
)
from llm_runner_router.registry.sources.local import FileFetcher
from llm_runner_router.registry.sources.pulls import Pulls
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat, Request
from unit.echoes import EchoLoader, echo_runtime, model


async def test_sources_are_stored_as_whole_paths() -> None:
    async with echo_runtime() as runtime:
        assert (await runtime.get_model("m")).record.source == "/nowhere/m.gguf"
        wanted = replace(model(), source="file:///else/x.gguf")
        view = await runtime.update_model(wanted, ["source"])
        assert view.record.source == "/else/x.gguf"


@pytest.mark.parametrize(
    ("field", "entries"),
    [
        ("models[0].owner", {"models": [{"id": "a", "format": "gguf", "source": "/a"}]}),
        ("templates[0].format", {"templates": [{"id": "t"}]}),
    ],
)
@pytest.mark.parametrize("text", ["a\0", "\ud83d"])
async def test_an_import_says_where_a_text_cannot_be_kept(
    field: str, entries: dict[str, list[dict[str, str]]], text: str
) -> None:
    for records in entries.values():
        records[0][field.rpartition(".")[2]] = text
    document = json.dumps({"version": "1.2.0", **entries}).encode()
    async with echo_runtime() as runtime:
        with pytest.raises(InvalidRequestError) as caught:
            await runtime.import_registry(document)
        assert caught.value.field == field


async def test_pages() -> None:
    names = tuple(f"m{number:03}" for number in range(150))
    async with echo_runtime(models=names) as runtime:
        first = await runtime.list_models()
        assert len(first.models) == 100
        second = await runtime.list_models(ModelQuery(page_token=first.next_page_token))
        assert second.next_page_token == ""
        assert [v.record.id for v in (*first.models, *second.models)] == list(names)
        one = await runtime.list_models(ModelQuery(page_size=1))
        assert [view.record.id for view in one.models] == ["m000"]


@pytest.mark.parametrize("token", ["%", "x", "//8="])
async def test_foreign_page_tokens_are_refused(token: str) -> None:
    async with echo_runtime() as runtime:
        with pytest.raises(InvalidRequestError, match="page_token"):
            await runtime.list_models(ModelQuery(page_token=token))


async def test_unregister_unloads_and_forgets() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        await runtime.load_model("m")
        await runtime.unregister_model("m")
        assert loader.providers["m"].closed
        with pytest.raises(ModelNotFoundError):
            await runtime.get_model("m")
        with pytest.raises(ModelNotFoundError):
            await runtime.unregister_model("m")


async def test_a_model_that_answers_cannot_be_unregistered() -> None:
    async with echo_runtime() as runtime:
        stream = runtime.process_stream(Request(prompt="a b"))
        await anext(stream)
        with pytest.raises(ModelBusyError):
            await runtime.unregister_model("m")
        await stream.aclose()
        await runtime.unregister_model("m")


async def test_views_tell_the_state() -> None:
    async with echo_runtime() as runtime:
        assert not (await runtime.get_model("m")).loaded
        view = await runtime.load_model("m")
        assert view.loaded
        assert view.details.architecture == "echo"
        await runtime.unload_model("m")
        assert not (await runtime.get_model("m")).loaded
        with pytest.raises(ModelNotFoundError):
            await runtime.unload_model("x")
        with pytest.raises(ModelNotFoundError):
            await runtime.load_model("x")


async def test_defaults_of_an_updated_model_are_used_at_once() -> None:
    loader = EchoLoader()
    async with echo_runtime(loader=loader) as runtime:
        await runtime.process(Request(prompt="x"))
        wanted = replace(model(), config=replace(model().config, temperature=0.25))
        await runtime.update_model(wanted, ["config.temperature"])
        await runtime.process(Request(prompt="x"))
        assert [c.request.temperature for c in loader.providers["m"].calls] == [None, 0.25]


@asynccontextmanager
async def catalogue() -> AsyncIterator[Catalogue]:
    """One with the model m, whose folder is /nowhere."""
    store = await RegistryStore.open(None)
    loader, folder = EchoLoader(), Path("/nowhere")
    puller = Puller(store, Pulls({"file": FileFetcher(folder)}, folder / "models"), folder)
    knowledge = Knowledge(loader.estimate, lambda _: ModelPerformance())
    made = Catalogue(store, Residency(loader, store.get), puller, knowledge)
    await made.register(model())
    yield made
    await store.close()


async def test_names_of_models_at_providers_are_no_paths() -> None:
    async with catalogue() as made:
        record = replace(
            model("api"), format=ModelFormat.API, provider="together", source="meta/llama"
        )
        assert (await made.register(record)).record.source == "meta/llama"
        assert (await made.get("m")).record.source == "/nowhere/m.gguf"


async def test_aliases() -> None:
    async with catalogue() as made:
        stored = await made.set_alias(Alias("a", [AliasTarget("m")], fallbacks=["m"]))
        assert stored.targets == (AliasTarget("m"),)
        assert (made.alias("a"), list(made.aliases())) == (stored, [stored])
        with pytest.raises(AlreadyExistsError):
            await made.register(model("a"))
        with pytest.raises(InvalidRequestError, match="targets"):
            await made.set_alias(replace(stored, targets=()))
        await made.unregister("m")
        await made.remove_alias("a")
        with pytest.raises(ResourceNotFoundError):
            made.alias("a")


async def test_templates() -> None:
    async with catalogue() as made:
        stored = await made.set_template(PromptTemplate("t", "{x}", stop_tokens=["."]))
        assert (stored.name, stored.stop_tokens) == ("t", (".",))
        assert (made.template("t"), list(made.templates())) == (stored, [stored])
        with pytest.raises(InvalidRequestError, match="format"):
            await made.set_template(replace(stored, format="{"))
        await made.remove_template("t")
        with pytest.raises(ResourceNotFoundError):
            made.template("t")
