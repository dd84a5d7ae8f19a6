"""``llm-router models update``: single fields of a registered model."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, cast

import typer

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import say
from llm_runner_router.cli.running import run
from llm_runner_router.record_fields import ModelFields, record_of
from llm_runner_router.registry.records import ModelRecord

LISTS = frozenset({"tags", "capabilities", "config.stop"})
TEXTS = frozenset(
    {
        *("name", "source", "provider", "owner"),
        *("config.system", "config.chat_template", "config.license"),
        "config.quantization",
        *("endpoint.base_url", "endpoint.api_key", "endpoint.organization", "endpoint.api_version"),
    }
)


def update(
    model: Annotated[str, typer.Argument(help="The id of the model.")],
    settings: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE...",
            help="Such as owner=alice tags=chat,small config.pinned=true limits.max_tokens=500; "
            "FIELD= alone clears it.",
        ),
    ],
    etag: Annotated[
        str, typer.Option(help="Refuse where the model has changed since.", show_default="none")
    ] = "",
    target: Target = DEFAULT_TARGET,
) -> None:
    """Change fields of a model."""
    values = dict(map(parse, settings))
    run(update_aloud(target, model, values, etag))


def parse(setting: str) -> tuple[str, Any]:
    """A field and its value: text, a list with commas, or JSON; ``None`` clears it.

    Values are not repeated in errors: one may be a secret.
    """
    field, separator, text = setting.partition("=")
    if not (field and separator):
        raise typer.BadParameter("a setting is of the form field=value")
    if not text:
        return field, None
    if field in TEXTS:
        return field, text
    if field in LISTS and not text.startswith("["):
        return field, text.split(",")
    try:
        return field, json.loads(text)
    except ValueError:
        raise typer.BadParameter(f"{field}: the value is no JSON") from None


def record_with(model: str, values: dict[str, Any], etag: str) -> ModelRecord:
    """A record that holds the values and nothing else."""
    fields: dict[str, Any] = {}
    for path, value in values.items():
        section, _, key = path.partition(".")
        if value is None:
            continue
        if key:
            fields.setdefault(section, {})[key] = value
        else:
            fields[section] = value
    source = fields.pop("source", "")
    return replace(record_of(model, source, cast("ModelFields", fields)), etag=etag)


async def update_aloud(target: str, model: str, values: dict[str, Any], etag: str) -> None:
    """Change and say so."""
    record = record_with(model, values, etag)
    async with connected(target) as backend:
        view = await backend.update_model(record, list(values))
    say(f"updated {view.record.id}")
