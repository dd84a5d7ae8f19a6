"""The Registry service over real sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_runner_router.v1 import registry_pb2

if TYPE_CHECKING:
    from llm_runner_router.v1.registry_pb2_grpc import RegistryAsyncStub


def model(name: str, **fields: Any) -> registry_pb2.Model:
    source = fields.pop("source", f"/models/{name}.gguf")
    return registry_pb2.Model(
        id=name, format=registry_pb2.MODEL_FORMAT_GGUF, source=source, **fields
    )


async def add(registry: RegistryAsyncStub, name: str, **fields: Any) -> registry_pb2.Model:
    request = registry_pb2.RegisterModelRequest(model=model(name, **fields))
    return (await registry.RegisterModel(request)).model


async def load(registry: RegistryAsyncStub, name: str) -> list[registry_pb2.LoadModelResponse]:
    return [step async for step in registry.LoadModel(registry_pb2.LoadModelRequest(id=name))]


async def test_register_get_update_unregister(registry: RegistryAsyncStub) -> None:
    added = await add(registry, "new", labels={"team": "blue"})
    assert (added.name, list(added.capabilities)) == ("new", ["text-generation"])
    assert added.etag
    change = registry_pb2.Model(id="new", name="Newer", etag=added.etag)
    change.config.temperature = 0.0
    mask = FieldMask(paths=["name", "config.temperature"])
    updated = await registry.UpdateModel(
        registry_pb2.UpdateModelRequest(model=change, update_mask=mask)
    )
    kept = (await registry.GetModel(registry_pb2.GetModelRequest(id="new"))).model
    assert kept == updated.model
    assert (kept.name, kept.config.temperature) == ("Newer", 0.0)
    assert kept.config.HasField("temperature")
    assert dict(kept.labels) == {"team": "blue"}
    assert kept.source == "/models/new.gguf"
    assert kept.etag != added.etag
    await registry.UnregisterModel(registry_pb2.UnregisterModelRequest(id="new"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await registry.GetModel(registry_pb2.GetModelRequest(id="new"))
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_stale_etag_changes_nothing(registry: RegistryAsyncStub) -> None:
    await add(registry, "new")
    change = registry_pb2.Model(id="new", name="Other", etag="stale")
    request = registry_pb2.UpdateModelRequest(model=change, update_mask=FieldMask(paths=["name"]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await registry.UpdateModel(request)
    assert caught.value.code() is grpc.StatusCode.ABORTED
    kept = (await registry.GetModel(registry_pb2.GetModelRequest(id="new"))).model
    assert kept.name == "new"


async def test_pages_hold_every_model_once(registry: RegistryAsyncStub) -> None:
    for name in ("b", "a", "d", "c"):
        await add(registry, name)
    seen, token = [], ""
    while True:
        request = registry_pb2.ListModelsRequest(page_size=2, page_token=token)
        page = await registry.ListModels(request)
        assert len(page.models) <= 2
        seen += [listed.id for listed in page.models]
        token = page.next_page_token
        if not token:
            break
    assert seen == ["a", "b", "c", "d", "words"]


async def test_load_shows_progress_then_the_model(registry: RegistryAsyncStub) -> None:
    steps = await load(registry, "words")
    fractions = [step.progress.fraction for step in steps[:-1]]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert steps[-1].model.loaded
    assert steps[-1].model.details.architecture == "words"
    assert [step.WhichOneof("event") for step in await load(registry, "words")][-1] == "model"


async def test_file_that_cannot_be_run_is_a_failed_precondition(
    registry: RegistryAsyncStub,
) -> None:
    await add(registry, "bad", source="/models/broken.gguf")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await load(registry, "bad")
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert "not a GGUF file" in caught.value.details()
    assert (await load(registry, "words"))[-1].model.loaded


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (registry_pb2.Model(id="x", source="/x.gguf"), grpc.StatusCode.INVALID_ARGUMENT),
        (model(""), grpc.StatusCode.INVALID_ARGUMENT),
        (model("words"), grpc.StatusCode.ALREADY_EXISTS),
    ],
)
async def test_wrong_registrations(
    registry: RegistryAsyncStub, wrong: registry_pb2.Model, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await registry.RegisterModel(registry_pb2.RegisterModelRequest(model=wrong))
    assert caught.value.code() is code


async def test_update_needs_a_mask_of_known_paths(registry: RegistryAsyncStub) -> None:
    for paths in ([], ["id"], ["no_such_field"]):
        request = registry_pb2.UpdateModelRequest(
            model=registry_pb2.Model(id="words"), update_mask=FieldMask(paths=paths)
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await registry.UpdateModel(request)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, paths
