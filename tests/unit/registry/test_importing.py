"""Imports of many records at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from llm_runner_router.errors import AlreadyExistsError, InvalidRequestError, UnavailableError
from llm_runner_router.registry.changes.log import START, StoredChange
from llm_runner_router.registry.records import ImportMode, ImportReport
from llm_runner_router.registry.store import RegistryStore
from unit.echoes import model
from unit.registry.places import Place, bare, set_read_only
from unit.registry.test_resources import ALIAS, API, TEMPLATE, filled

KEEP, REPLACE = ImportMode.KEEP, ImportMode.REPLACE
EXTRAS = {
    ("model", "m"): {"z": 1, "a": {"z": [1.5, None, "☃\0\ud800"], "b": True}},
    ("template", "t"): {"author": "x"},
    ("registry", ""): {"version": "1.2.0", "b": 1, "a": 2},
}


def as_text(extras: Mapping[tuple[str, str], Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The order of keys counts."""
    return {key: json.dumps(document) for key, document in extras.items()}


async def test_an_import_is_taken_in_whole(place: Place) -> None:
    store = await RegistryStore.open(place)
    report = await store.import_all([model("m"), API], [TEMPLATE], EXTRAS, mode=KEEP)
    assert report == ImportReport(added=("model m", "model api", "template t"))
    stored, template = store.get("m"), store.template("t")
    assert template is not None
    assert "" not in (stored.etag, template.etag)
    assert stored.created == stored.updated > 0
    await store.close()
    store = await RegistryStore.open(place)
    assert (store.get("m"), bare(store.get("api"))) == (stored, API)
    assert store.template("t") == template
    assert as_text(store.extras()) == as_text(EXTRAS)
    wanted = [StoredChange(1, "model", "m"), StoredChange(2, "model", "api")]
    assert store.changes_since(START) == wanted
    await store.close()


@pytest.mark.parametrize("mode", ImportMode)
async def test_what_is_there_already_stays_as_it_is(place: Place, mode: ImportMode) -> None:
    store = await RegistryStore.open(place)
    await store.import_all([model("m")], [TEMPLATE], EXTRAS, mode=KEEP)
    before, sequence = store.get("m"), store.sequence
    twice = [model("m", created=3.0, etag="other"), API, model("m")]
    report = await store.import_all(twice, [TEMPLATE], EXTRAS, mode=mode)
    assert report == ImportReport(added=("model api",), unchanged=("model m", "template t"))
    assert (store.get("m"), store.sequence) == (before, sequence + 1)
    report = await store.import_all([API], [], {}, mode=mode)
    assert (report.unchanged, store.sequence) == (("model api",), sequence + 1)
    assert as_text(store.extras()) == as_text(EXTRAS)
    await store.close()


OTHER = replace(TEMPLATE, format="{other}")
DIFFERENT = [
    ([model("new"), model("m", source="n.gguf")], [], {}, "model 'm'.*source.*'m.gguf'.*'n.gguf'"),
    ([model("new")], [OTHER], {}, "template 't'.*format.*{question}.*{other}"),
    ([model("new"), model("m")], [], {("model", "m"): {"z": 2}}, "model 'm'.*beyond its fields"),
    ([model("new"), model("new", source="n")], [], {}, "model 'new'.*source.*'m.gguf'.*'n'"),
    ([model("new"), model("both")], [], {}, "alias 'both'"),
]


@pytest.mark.parametrize(("models", "templates", "extras", "message"), DIFFERENT)
async def test_what_differs_is_kept(
    place: Place, models: Any, templates: Any, extras: Any, message: str
) -> None:
    store = await filled(place)
    await store.import_all([model("m")], [TEMPLATE], EXTRAS, mode=REPLACE)
    await store.set_alias(ALIAS)
    before = (store.models(), store.templates(), store.extras(), store.sequence)
    with pytest.raises(AlreadyExistsError, match=message):
        await store.import_all(models, templates, extras, mode=KEEP)
    assert (store.models(), store.templates(), store.extras(), store.sequence) == before
    await store.close()


async def test_what_differs_is_replaced(place: Place) -> None:
    store = await RegistryStore.open(place)
    await store.import_all([model("m"), API], [TEMPLATE], EXTRAS, mode=KEEP)
    before = store.get("m")
    extras = {("model", "api"): {"new": 1}, ("registry", ""): {"b": 2}}
    models = [model("m", source="n.gguf"), API]
    report = await store.import_all(models, [OTHER], extras, mode=REPLACE)
    assert report == ImportReport(replaced=("model m", "model api", "template t"))
    await store.close()
    store = await RegistryStore.open(place)
    after = store.get("m")
    assert (after.source, after.created) == ("n.gguf", before.created)
    assert after.etag != before.etag
    assert store.extras() == extras
    await store.close()


async def test_the_registrys_own_extras_are_joined(place: Place) -> None:
    store = await RegistryStore.open(place)
    for document in ({"a": 1, "c": 2}, {"b": 3, "a": 4}, {}):
        await store.import_all([], [], {("registry", ""): document}, mode=KEEP)
    assert as_text(store.extras()) == as_text({("registry", ""): {"a": 1, "c": 2, "b": 3}})
    sequence = store.sequence
    assert store.changes_since(START) == []
    await store.import_all([], [], {("registry", ""): {}}, mode=REPLACE)
    assert (dict(store.extras()), store.sequence) == ({}, sequence + 1)
    await store.close()


async def test_extras_go_with_their_record(place: Place) -> None:
    store = await RegistryStore.open(place)
    await store.import_all([model("m")], [TEMPLATE], EXTRAS, mode=KEEP)
    await store.update("m", lambda record: replace(record, name="new"))
    await store.set_template(OTHER)
    assert as_text(store.extras()) == as_text(EXTRAS)
    await store.remove("m")
    await store.remove_template("t")
    assert set(store.extras()) == {("registry", "")}
    await store.add(model("m"))
    await store.close()
    store = await RegistryStore.open(place)
    assert set(store.extras()) == {("registry", "")}
    await store.close()


CIRCLE: dict[str, Any] = {}
CIRCLE["a"] = CIRCLE


@pytest.mark.parametrize(
    ("field", "extras"),
    [
        ("extras", {("model", "x"): {"a": 1}}),
        ("extras", {("alias", "m"): {"a": 1}}),
        ("extras", {("registry", "x"): {"a": 1}}),
        ("extras of model m", {("model", "m"): {"a": float("nan")}}),
        ("extras of model m", {("model", "m"): {"a": object()}}),
        ("extras of registry", {("registry", ""): CIRCLE}),
    ],
)
async def test_strange_extras_are_refused(field: str, extras: Any) -> None:
    store = await RegistryStore.open(None)
    with pytest.raises(InvalidRequestError) as caught:
        await store.import_all([model("m")], [], extras, mode=REPLACE)
    assert (caught.value.field, len(store)) == (field, 0)
    await store.close()


async def test_an_import_that_cannot_be_written_leaves_nothing(place: Place) -> None:
    store = await filled(place)
    before = (store.models(), store.templates(), store.extras(), store.sequence)
    await set_read_only(store.database)
    with pytest.raises(UnavailableError):
        await store.import_all([model("new")], [TEMPLATE], {}, mode=KEEP)
    assert (store.models(), store.templates(), store.extras(), store.sequence) == before
    await store.close()


async def test_a_large_import(place: Place) -> None:
    store = await RegistryStore.open(place)
    models = [model(f"m@{number}") for number in range(2000)]
    extras = {("model", record.id): {"id": record.id} for record in models}
    assert len((await store.import_all(models, [], extras, mode=KEEP)).added) == 2000
    assert (len(store.extras()), store.sequence) == (2000, 2000)
    await store.close()
