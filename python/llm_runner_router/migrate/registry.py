"""A registry of LLM Runner Router 0.x to 1.1, as a registry file of 1.2."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_runner_router.errors import InvalidRequestError
from llm_runner_router.migrate import model_entry, prompts
from llm_runner_router.migrate.draft import (
    OLD_DEFAULT,
    Draft,
    equal,
    is_set,
)
from llm_runner_router.migrate.record_lists import RecordList, records_of
from llm_runner_router.migrate.strategies import NEW, move_strategies
from llm_runner_router.migrate.transformed import UNMAPPED, Transformed
from llm_runner_router.registry.checks.model import checked_record
from llm_runner_router.registry.checks.template import checked_template
from llm_runner_router.registry.registry_file import VERSION, model_of, template_of

NUMBERS = re.compile(r"v?([0-9]{1,6})(?:\.([0-9]{1,6}))?")
PRESENT = (1, 2)
EMPTY = "an empty list"


def migrated_registry(old: Mapping[str, Any]) -> Transformed:
    """The registry of ``old``, of whatever version up to 1.2; one of 1.2 stays as it is.

    What cannot become a model or a template is kept under ``_unmapped`` and told. What the service
    would refuse, a setting with two values, and a second record of one id are an
    InvalidRequestError that names the places in the input.
    """
    draft = Draft("", dict(old))
    is_present = is_of_present(old.get("version"))
    aside = taken_aside(draft)
    move_version(draft)
    for records in (migrated_models(draft, aside), migrated_prompts(draft, old, aside)):
        add_records(draft, records, old)
        if not is_present and not records.entries:
            draft.add((records.name,), [], OLD_DEFAULT)
    move_strategies(draft)
    if not is_present:
        draft.add((NEW,), {}, OLD_DEFAULT)
    draft.move_rest(())
    made = draft.finished()
    content = old if equal(made.entry, old) else made.entry
    return Transformed(content, made.fields, made.notes)


def is_of_present(version: object) -> bool:
    """Whether a file says that it is of this version."""
    return isinstance(version, str) and version.startswith("1.2.")


def taken_aside(draft: Draft) -> dict[str, list[Any]]:
    """The records that an earlier migration has put aside; the rest of that stays in the draft."""
    found = draft.rest.get(UNMAPPED)
    lists = {}
    if isinstance(found, Mapping):
        lists = {key: found[key] for key in ("models", "templates") if key in found}
    aside = {key: list(records_of(f"{UNMAPPED}.{key}", value)) for key, value in lists.items()}
    draft.keep_unmapped()
    for key, records in aside.items():
        draft.entry[UNMAPPED][key] = records
    return {"models": [], "templates": [], **aside}


def move_version(draft: Draft) -> None:
    """The present version; InvalidRequestError for those that come after it."""
    version = draft.taken("version")
    if version is None:
        draft.add(("version",), VERSION, "the version of the shape")
        return
    found = NUMBERS.match(str(version))
    later = found is not None and (int(found[1]), int(found[2] or 0)) > PRESENT
    if later or isinstance(version, Mapping | list):
        raise InvalidRequestError("version", version, f"{VERSION} or older")
    is_present = is_of_present(version)
    note = "" if is_present else f"the shape is that of {VERSION}"
    draft.put("version", ("version",), version if is_present else VERSION, note)


def migrated_models(draft: Draft, aside: Mapping[str, list[Any]]) -> RecordList:
    """The models of the file."""
    records = RecordList(
        "models",
        ("models",),
        model_entry.obstacle,
        model_entry.migrated_model,
        check_model,
        aside["models"],
    )
    records.take(draft)
    return records


def migrated_prompts(
    draft: Draft, old: Mapping[str, Any], aside: Mapping[str, list[Any]]
) -> RecordList:
    """The templates of the file, and behind them its prompts."""
    migrated = partial(prompts.migrated_prompt, ids=ids_by_name(old.get("models")))
    records = RecordList(
        "templates",
        ("templates", "prompts"),
        prompts.obstacle,
        migrated,
        check_template,
        aside["templates"],
    )
    records.take(draft)
    return records


def add_records(draft: Draft, records: RecordList, old: Mapping[str, Any]) -> None:
    """Let the file have the records, and those that were put aside."""
    draft.fields += records.fields
    draft.notes += records.notes
    if records.aside:
        draft.forget(f"{UNMAPPED}.{records.name}", EMPTY)
        draft.entry.setdefault(UNMAPPED, {})[records.name] = records.aside
    for key in records.keys:
        if old.get(key) != []:
            continue
        if key == records.name and not records.entries:
            draft.put(key, (key,), [])
        else:
            draft.drop(key, EMPTY)
    if records.entries:
        draft.entry[records.name] = records.entries


def ids_by_name(models: object) -> dict[str, str]:
    """Which id stands for an old name of a model; names that several have stand for none."""
    records = (
        [one for one in models if isinstance(one, Mapping)] if isinstance(models, list) else []
    )
    pairs = [(one["name"], one["id"]) for one in records if has_both(one)]
    counts = Counter(name for name, _ in pairs)
    taken = {str(one.get("id") or one.get("name")) for one in records}
    return {name: own for name, own in pairs if counts[name] == 1 and name not in taken}


def has_both(record: Mapping[str, Any]) -> bool:
    """Whether a record has an id and a name, both texts."""
    return all(is_set(record.get(key)) and isinstance(record[key], str) for key in ("id", "name"))


def check_model(where: str, entry: Mapping[str, Any]) -> None:
    """InvalidRequestError unless the registry would take the entry."""
    checked_record(model_of(where, entry, {}))


def check_template(where: str, entry: Mapping[str, Any]) -> None:
    """InvalidRequestError unless the registry would take the entry."""
    checked_template(template_of(where, entry, {}))
