"""What a change makes of the registry's content, or why it may not be. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from llm_runner_router.errors import (
    AlreadyExistsError,
    ConflictError,
    InvalidRequestError,
    ModelNotFoundError,
    ResourceNotFoundError,
    shorten,
)
from llm_runner_router.registry.content import Content
from llm_runner_router.registry.entries import Entry
from llm_runner_router.registry.records import Alias, ModelRecord, PromptTemplate
from llm_runner_router.registry.stamps import Stamper

Change = Callable[[ModelRecord], ModelRecord]


def add_model(
    content: Content, record: ModelRecord, stamper: Stamper
) -> tuple[Sequence[Entry], ModelRecord]:
    """AlreadyExistsError where the id is that of a model or of an alias."""
    for word, taken in (("model", content.models), ("alias", content.aliases)):
        if record.id in taken:
            raise AlreadyExistsError(f"{word} {shorten(record.id)} is registered already")
    stored = stamper.stamped(record, None)
    return [Entry("model", record.id, stored)], stored


def update_model(
    content: Content, model: str, change: Change, etag: str, stamper: Stamper
) -> tuple[Sequence[Entry], ModelRecord]:
    """ConflictError where ``etag`` is given and is not the present one."""
    present = found(content, model)
    check_etag("model", present, model, etag)
    stored = stamper.stamped(replace(change(present), id=model), present)
    return [Entry("model", model, stored, content.extras_of("model", model))], stored


def remove_model(content: Content, model: str) -> tuple[Sequence[Entry], ModelRecord]:
    """ModelNotFoundError where there is none."""
    present = found(content, model)
    return [Entry("model", model, None)], present


def set_alias(content: Content, alias: Alias, stamper: Stamper) -> tuple[Sequence[Entry], Alias]:
    """AlreadyExistsError where a model has the id; every model that it names must be there."""
    if alias.id in content.models:
        raise AlreadyExistsError(f"model {shorten(alias.id)} is registered already")
    present = content.aliases.get(alias.id)
    check_etag("alias", present, alias.id, alias.etag)
    for field, model in named_models(alias):
        if model not in content.models:
            raise InvalidRequestError(field, model, "the id of a registered model")
    stored = stamper.stamped(alias, present)
    return [Entry("alias", alias.id, stored)], stored


def remove_alias(content: Content, name: str) -> tuple[Sequence[Entry], Alias]:
    """ResourceNotFoundError where there is none."""
    present = content.aliases.get(name)
    if present is None:
        raise ResourceNotFoundError("alias", name)
    return [Entry("alias", name, None)], present


def set_template(
    content: Content, template: PromptTemplate, stamper: Stamper
) -> tuple[Sequence[Entry], PromptTemplate]:
    """ConflictError where its etag is given and is not the present one."""
    present = content.templates.get(template.id)
    check_etag("template", present, template.id, template.etag)
    stored = stamper.stamped(template, present)
    extras = content.extras_of("template", template.id)
    return [Entry("template", template.id, stored, extras)], stored


def remove_template(content: Content, name: str) -> tuple[Sequence[Entry], PromptTemplate]:
    """ResourceNotFoundError where there is none."""
    present = content.templates.get(name)
    if present is None:
        raise ResourceNotFoundError("template", name)
    return [Entry("template", name, None)], present


def found(content: Content, model: str) -> ModelRecord:
    """The record of ``model``; ModelNotFoundError where there is none."""
    record = content.models.get(model)
    if record is None:
        raise ModelNotFoundError(model)
    return record


def named_models(alias: Alias) -> Sequence[tuple[str, str]]:
    """Every model that an alias names, behind the field that does."""
    return [
        *((f"targets[{n}].model", target.model) for n, target in enumerate(alias.targets)),
        *((f"fallbacks[{n}]", model) for n, model in enumerate(alias.fallbacks)),
        *((f"rules[{n}].model", rule.model) for n, rule in enumerate(alias.rules)),
    ]


def check_etag(
    word: str, present: ModelRecord | Alias | PromptTemplate | None, name: str, etag: str
) -> None:
    """ConflictError where an etag is given and is not the present one."""
    now = "" if present is None else present.etag
    if etag and etag != now:
        raise ConflictError(f"{word} {shorten(name)} was changed meanwhile: its etag is {now!r}")
