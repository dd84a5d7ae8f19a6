"""The registry file of LLM Runner Router 1.2: read into records, and written from them.

``{"version": "1.2.0", "models": [...], "templates": [...], "strategies": {...}}``. Keys are
camelCase; those that are known here may also be snake_case. What is not known, or ``null``, is kept
as it is: ``extras`` holds it by the kind and the id of what it belongs to, in the file's shape.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.registry.file_fields import MODEL, TEMPLATE
from llm_runner_router.registry.records import (
    ModelPerformance,
    ModelRecord,
    ModelView,
    PromptTemplate,
)
from llm_runner_router.types import ModelFormat

VERSION = "1.2.0"
MAX_BYTES = 32 << 20
MAX_DEPTH = 100
"""Levels of lists and objects: far from where Python's own ways to read and write JSON end."""

R = TypeVar("R", ModelRecord, PromptTemplate)

Extras = Mapping[tuple[str, str], Mapping[str, Any]]
"""What a file says beyond our fields: by ``model``, ``template`` or ``registry``, and the id."""


@dataclass(frozen=True, slots=True)
class RegistryContent:
    """What a file holds. The records are not checked yet, their ids differ."""

    models: Sequence[ModelRecord]
    templates: Sequence[PromptTemplate]
    extras: Extras


def parsed(document: bytes) -> RegistryContent:
    """The content of a file; InvalidRequestError says where it is wrong."""
    content = mapping("document", json_of(document))
    version = content.get("version")
    if not isinstance(version, str) or not version.startswith("1.2."):
        allowed = f"{VERSION} (older files are migrated first)"
        raise InvalidRequestError("version", version, allowed)
    extras: dict[tuple[str, str], Mapping[str, Any]] = {}
    models = [model_of(where, value, extras) for where, value in entries(content, "models")]
    templates = [
        template_of(where, value, extras) for where, value in entries(content, "templates")
    ]
    check_unique("models", models)
    check_unique("templates", templates)
    rest = {key: value for key, value in content.items() if key not in ("models", "templates")}
    extras["registry", ""] = rest
    return RegistryContent(models, templates, extras)


def exported(
    models: Sequence[ModelView], templates: Sequence[PromptTemplate], extras: Extras
) -> bytes:
    """A file that holds all of it, by ids. Lone surrogates come out as JSON's escapes."""
    content: dict[str, Any] = {"version": VERSION, **extras.get(("registry", ""), {})}
    content["models"] = [
        model_entry(view, extras.get(("model", view.record.id), {})) for view in models
    ]
    content["templates"] = [
        TEMPLATE.written(template, extras.get(("template", template.id), {}))
        for template in templates
    ]
    content.setdefault("strategies", {})
    text = json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)
    # JavaScript writes such escapes for an emoji that was cut. Python's are the same as JSON's.
    return (text + "\n").encode(errors="backslashreplace")


def model_of(
    where: str, value: object, extras: dict[tuple[str, str], Mapping[str, Any]]
) -> ModelRecord:
    """The record of an entry. A model behind an API may leave out its name there: it is the id."""
    fields, rest = MODEL.read(where, mapping(where, value))
    identity = text_of(f"{where}.id", fields.get("id"))
    kind = format_of(f"{where}.format", fields.get("format"), fields.get("provider"))
    if fields.get("source") is None and kind is not ModelFormat.API:
        raise InvalidRequestError(f"{where}.source", None, "where the weights lie")
    fields |= {"id": identity, "format": kind, "source": fields.get("source") or identity}
    fields.setdefault("name", identity)
    if rest:
        extras["model", identity] = rest
    return ModelRecord(**fields)


def template_of(
    where: str, value: object, extras: dict[tuple[str, str], Mapping[str, Any]]
) -> PromptTemplate:
    """The template of an entry."""
    fields, rest = TEMPLATE.read(where, mapping(where, value))
    for name in ("id", "format"):
        text_of(f"{where}.{name}", fields.get(name))
    if rest:
        extras["template", fields["id"]] = rest
    return PromptTemplate(**fields)


def format_of(where: str, value: object, provider: object) -> ModelFormat:
    """The format by its word; a provider without a format means an API."""
    word = "api" if value is None and provider else value
    word = "hf" if word == "huggingface" else word
    if not isinstance(word, str) or word not in frozenset(ModelFormat):
        raise InvalidRequestError(where, value, f"one of {', '.join(ModelFormat)}, huggingface")
    return ModelFormat(word)


def model_entry(view: ModelView, extras: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of a model. What was measured stands where the file it came from had nothing."""
    entry = MODEL.written(view.record, extras)
    declared = extras.get("performance", {})
    if isinstance(declared, Mapping):
        said = {key: value for key, value in declared.items() if value is not None}
        entry["performance"] = {**declared, **measured(view.performance), **said}
    return entry


def measured(performance: ModelPerformance) -> dict[str, Any]:
    """What was measured, under the names of the file; what was not is ``null``."""
    return {
        "tokensPerSecond": performance.tokens_per_second,
        "memoryUsage": performance.memory_bytes or None,
    }


def entries(content: Mapping[str, Any], key: str) -> Sequence[tuple[str, object]]:
    """The entries of a list of the file with their places; a list that is missing is empty."""
    values = content.get(key, [])
    if not isinstance(values, list):
        raise InvalidRequestError(key, values, "a list")
    return [(f"{key}[{number}]", value) for number, value in enumerate(values)]


def check_unique(where: str, records: Sequence[R]) -> None:
    """Each id once; the error names the places."""
    counts = Counter(record.id for record in records)
    for name, count in counts.items():
        if count > 1:
            places = [number for number, record in enumerate(records) if record.id == name]
            allowed = f"each id once; it stands at {', '.join(map(str, places))}"
            raise InvalidRequestError(f"{where}.id", name, allowed)


def mapping(where: str, value: object) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise InvalidRequestError(where, value, "an object")
    return value


def text_of(where: str, value: object) -> str:
    """Text that is there."""
    if not isinstance(value, str) or not value:
        raise InvalidRequestError(where, value, "text")
    return value


def json_of(document: bytes) -> object:
    """The JSON of a document: UTF-8, each key once, no NaN, at most MAX_DEPTH levels."""
    if len(document) > MAX_BYTES:
        raise InvalidRequestError("document", "a document", f"at most {MAX_BYTES} bytes of JSON")
    try:
        content = json.loads(
            document.decode("utf-8-sig"), object_pairs_hook=once, parse_constant=no_number
        )
    except RecursionError:
        raise too_deep() from None
    except ValueError as error:
        raise InvalidRequestError("document", "a document", f"JSON in UTF-8 ({error})") from None
    check_depth(content)
    return content


def check_depth(content: object) -> None:
    """At most MAX_DEPTH levels."""
    level = [content]
    for _ in range(MAX_DEPTH):
        level = [
            inner for value in level for inner in inside(value) if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise too_deep()


def inside(value: object) -> Collection[object]:
    """What a list or an object holds."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def too_deep() -> InvalidRequestError:
    """The error of a document that nobody has written by hand."""
    return InvalidRequestError("document", "a document", f"JSON of at most {MAX_DEPTH} levels")


def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ."""
    result = dict(pairs)
    if len(result) < len(pairs):
        key, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {key!r} stands twice in one object")
    return result


def no_number(word: str) -> NoReturn:
    """NaN and Infinity are no JSON."""
    raise ValueError(f"{word} is no number")
