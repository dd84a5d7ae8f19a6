"""Aliases, templates and measurements in the store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_runner_router.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidRequestError,
    ResourceNotFoundError,
    UnavailableError,
)
from llm_runner_router.preferences import Strategy
from llm_runner_router.registry.records import (
    Alias,
    AliasRule,
    AliasTarget,
    Endpoint,
    MeasurementRow,
    Pricing,
    PromptTemplate,
)
from llm_runner_router.registry.store import RegistryStore
from llm_runner_router.types import ModelFormat
from unit.echoes import model
from unit.registry.places import Place, bare, set_read_only

API = replace(
    model("api"),
    format=ModelFormat.API,
    source="gpt-4o",
    provider="openai",
    endpoint=Endpoint("https://x/v1", "env:KEY", "org", "v1", {"a": "b"}, {"c": [1, {"d": None}]}),
    pricing=Pricing(3.0, 15.0, cached_input=0.0),
    quality=0.0,
)
ALIAS = Alias(
    "both",
    (AliasTarget("m", 1.0), AliasTarget("api", 0.0)),
    Strategy.CANARY,
    ("api",),
    (AliasRule("tier", ("a", ""), "api"),),
)
TEMPLATE = PromptTemplate("t", "{question}", "Ask", ("\n",), ("m*",))
MEASURED = (
    MeasurementRow("m", 0, 3, 1.5, None, 0.25, 0.125, 0.5, 2.0),
    MeasurementRow("m", 1),
)


async def filled(place: Place | None) -> RegistryStore:
    store = await RegistryStore.open(place)
    await store.add(model("m"))
    await store.add(API)
    return store


async def test_everything_survives(place: Place) -> None:
    store = await filled(place)
    stored = await store.set_alias(ALIAS)
    template = await store.set_template(TEMPLATE)
    await store.save_measurements([MeasurementRow("gone", 0)])
    await store.save_measurements(MEASURED)
    await store.close()
    store = await RegistryStore.open(place)
    assert bare(store.get("api")) == API
    assert (store.alias("both"), list(store.aliases())) == (stored, [stored])
    assert replace(stored, etag="") == ALIAS
    assert (store.template("t"), list(store.templates())) == (template, [template])
    assert replace(template, etag="") == TEMPLATE
    assert tuple(store.measurements()) == MEASURED
    await store.close()


async def test_replaced_and_removed(place: Place) -> None:
    store = await filled(place)
    first = await store.set_alias(ALIAS)
    second = await store.set_alias(replace(first, fallbacks=()))
    assert second.etag not in ("", first.etag)
    with pytest.raises(ConflictError, match=second.etag):
        await store.set_alias(first)
    template = await store.set_template(TEMPLATE)
    assert (await store.set_template(TEMPLATE)).etag != template.etag
    with pytest.raises(ConflictError):
        await store.set_template(template)
    await store.save_measurements(MEASURED)
    await store.save_measurements(())
    assert await store.remove_alias("both") == second
    assert (await store.remove_template("t")).id == "t"
    await store.close()
    store = await RegistryStore.open(place)
    assert not (*store.aliases(), *store.templates(), *store.measurements())
    await store.close()


async def test_what_is_missing_cannot_be_removed(place: Place) -> None:
    store = await filled(place)
    assert store.alias("x") is None
    assert store.template("x") is None
    with pytest.raises(ResourceNotFoundError, match="alias 'x'"):
        await store.remove_alias("x")
    with pytest.raises(ResourceNotFoundError, match="template 'x'"):
        await store.remove_template("x")
    with pytest.raises(ConflictError):
        await store.set_alias(replace(ALIAS, etag="of one that was removed"))
    await store.close()


async def test_an_id_stands_for_a_model_or_for_an_alias(place: Place) -> None:
    store = await filled(place)
    await store.set_alias(ALIAS)
    with pytest.raises(AlreadyExistsError, match="alias 'both'"):
        await store.add(model("both"))
    with pytest.raises(AlreadyExistsError, match="model 'm'"):
        await store.set_alias(replace(ALIAS, id="m"))
    await store.close()


@pytest.mark.parametrize(
    ("field", "alias"),
    [
        ("targets[1].model", replace(ALIAS, targets=(*ALIAS.targets[:1], AliasTarget("x")))),
        ("targets[0].model", replace(ALIAS, targets=(AliasTarget("both"),))),
        ("fallbacks[0]", replace(ALIAS, fallbacks=("x",))),
        ("rules[0].model", replace(ALIAS, rules=(AliasRule("k", ("v",), "x"),))),
    ],
)
async def test_an_alias_names_registered_models(field: str, alias: Alias) -> None:
    store = await filled(None)
    with pytest.raises(InvalidRequestError) as caught:
        await store.set_alias(alias)
    assert caught.value.field == field
    assert store.alias("both") is None
    await store.close()


async def test_a_model_behind_an_alias_may_go(place: Place) -> None:
    store = await filled(place)
    stored = await store.set_alias(ALIAS)
    await store.remove("m")
    await store.close()
    store = await RegistryStore.open(place)
    assert store.alias("both") == stored
    await store.close()


async def test_the_revision_grows_with_models_and_aliases(place: Place) -> None:
    store = await RegistryStore.open(place)
    seen = [store.revision]
    for change in (
        lambda: store.add(model("m")),
        lambda: store.add(API),
        lambda: store.update("m", lambda record: replace(record, name="new")),
        lambda: store.set_alias(ALIAS),
        lambda: store.remove_alias("both"),
        lambda: store.remove("m"),
    ):
        await change()
        seen.append(store.revision)
    assert seen == sorted(set(seen))
    with pytest.raises(ResourceNotFoundError):
        await store.remove_alias("both")
    await store.set_template(TEMPLATE)
    assert store.revision == seen[-1]
    await store.close()


async def test_a_write_that_fails_changes_nothing(place: Place) -> None:
    store = await filled(place)
    before = await store.set_alias(ALIAS)
    await store.save_measurements(MEASURED)
    revision = store.revision
    await set_read_only(store.database)
    for change in (
        lambda: store.set_alias(replace(ALIAS, fallbacks=())),
        lambda: store.remove_alias("both"),
        lambda: store.set_template(TEMPLATE),
        lambda: store.save_measurements(()),
    ):
        with pytest.raises(UnavailableError):
            await change()
    assert (store.alias("both"), store.template("t")) == (before, None)
    assert (tuple(store.measurements()), store.revision) == (MEASURED, revision)
    await store.close()
