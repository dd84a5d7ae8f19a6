# ruff: noqa: PLC0415 - `llm-router --help` should not wait for the engine
"""``llm-router migrate huggingface``: one model of Transformers, from a folder or the hub."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import say
from llm_runner_router.cli.pull import Shown, new_bar
from llm_runner_router.cli.running import run
from llm_runner_router.cli.weights import type_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_runner_router.migrate.huggingface import HuggingFacePlan
    from llm_runner_router.registry.records import ModelRecord


def migrate_huggingface(  # noqa: PLR0913, PLR0917 - each option is a parameter
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_DIR",
            help="A folder that save_pretrained has written, or a name of the Hugging Face hub: "
            "org/repo, with @revision if need be.",
        ),
    ],
    identity: Annotated[
        str, typer.Option("--id", help="The id that it gets.", show_default="made of the name")
    ] = "",
    quantization: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE", help="What its weights become, such as Q4_K_M.", show_default="F16"
        ),
    ] = None,
    dry_run: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    as_json: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--json", help="For programs: what became of it.")
    ] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Register a model of Transformers with a running service, and convert its weights to GGUF.

    Weights are read from safetensors alone; pickled ones are refused. What was cut is taken up
    again by the same command. A folder has to be on the machine of the service.
    """
    run(migrate(target, (model, identity, type_of(quantization)), dry_run=dry_run, as_json=as_json))


async def migrate(
    target: str, wanted: tuple[str, str, str | None], *, dry_run: bool, as_json: bool
) -> None:
    """Plan, register, bring and convert; say what became of it."""
    from llm_runner_router.migrate import huggingface

    plan = huggingface.planned(*wanted)
    if dry_run:
        show(told("planned", plan.record, plan, plan.notes), as_json=as_json)
        return
    async with connected(target) as backend:
        with new_bar() as bar:
            outcome = await huggingface.migrate(backend, plan, Shown(bar))
    show(told(outcome.result, outcome.view.record, plan, outcome.notes), as_json=as_json)


def told(
    result: str, record: ModelRecord, plan: HuggingFacePlan, notes: Sequence[str]
) -> dict[str, Any]:
    """The report, in the spelling of our JSON files."""
    from llm_runner_router.registry.file_fields import MODEL

    return {
        "result": result,
        "model": MODEL.written(record, {}),
        "fields": [
            {"path": field.path, "fate": field.fate, "target": field.target, "note": field.note}
            for field in plan.fields
        ],
        "notes": list(notes),
    }


def show(report: dict[str, Any], *, as_json: bool) -> None:
    """The report in the form that is wanted."""
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    model = report["model"]
    say(f"{report['result']} {model['id']}: {model['source']}")
    for key, value in model.get("config", {}).items():
        say(f"  {key}: {value}")
    for field in report["fields"]:
        where = field["target"] or "no counterpart here"
        say(f"  {field['path']}: {field['fate']}: {where}")
    for note in report["notes"]:
        say(f"note: {note}")
