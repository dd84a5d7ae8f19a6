"""``llm-router models``: what the service keeps."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Column, Table

from llm_runner_router.cli import api_models, inspection, model_update, registry_files, weights
from llm_runner_router.cli.connection import connected
from llm_runner_router.cli.model_facts import facts
from llm_runner_router.cli.options import DEFAULT_TARGET, Target
from llm_runner_router.cli.output import cell, errors, out, printable, say, show_facts
from llm_runner_router.cli.running import run
from llm_runner_router.local_path import absolute
from llm_runner_router.registry.records import (
    DEFAULT_CAPABILITIES,
    Endpoint,
    LoadProgress,
    ModelConfig,
    ModelQuery,
    ModelRecord,
    ModelView,
)

commands = typer.Typer(
    help="List and change the models of a running service.", no_args_is_help=True
)

HEADERS = ("id", "name", "format", "in memory", "source")

Id = Annotated[str, typer.Argument(help="The id of the model.")]
Capabilities = Annotated[
    list[str] | None,
    typer.Option(
        "--capability",
        metavar="NAME",
        help="What the model can do, such as tools. Repeatable.",
        show_default=", ".join(DEFAULT_CAPABILITIES),
    ),
]


commands.command("update")(model_update.update)
commands.command("import")(registry_files.import_file)
commands.command("export")(registry_files.export_file)


@commands.command("list")
def list_models(
    where: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="TERMS",
            help="Such as 'tags : chat AND NOT owner = alice'.",
            show_default="all",
        ),
    ] = "",
    order_by: Annotated[
        str, typer.Option(metavar="FIELDS", help="Such as 'file_bytes desc'.", show_default="id")
    ] = "",
    target: Target = DEFAULT_TARGET,
) -> None:
    """List the models of the service."""
    run(print_list(target, where, order_by))


async def print_list(target: str, where: str, order_by: str) -> None:
    """All pages in one table."""
    table = Table(*(Column(header, overflow="fold") for header in HEADERS))
    async with connected(target) as backend:
        token = ""
        while True:
            page = await backend.list_models(ModelQuery(where, order_by, page_token=token))
            for view in page.models:
                table.add_row(*map(cell, row(view)))
            token = page.next_page_token
            if not token:
                break
    out.print(table)


def row(view: ModelView) -> tuple[str, ...]:
    """A model as a line of the table."""
    record = view.record
    return (record.id, record.name, record.format, "yes" if view.loaded else "no", record.source)


@commands.command("add")
def add(  # noqa: PLR0913, PLR0917 - each option is a parameter
    model: Id,
    source: Annotated[
        str,
        typer.Argument(
            help="The GGUF file, on the machine of the service, or hf://…, ollama://…, https://…; "
            "with --format hf a checkpoint; with --provider the model's name."
        ),
    ],
    name: Annotated[str, typer.Option(help="For people.", show_default="the id")] = "",
    context_length: Annotated[
        int | None, typer.Option(min=1, help="Tokens of prompt and answer together.")
    ] = None,
    weights_format: weights.Format = "",
    quantization: weights.Quantization = None,
    provider: api_models.Provider = "",
    base_url: api_models.BaseUrl = None,
    api_key: api_models.ApiKey = None,
    organization: api_models.Organization = None,
    api_version: api_models.ApiVersion = None,
    header: api_models.Headers = None,
    option: api_models.Options = None,
    capability: Capabilities = None,
    input_price: api_models.InputPrice = None,
    output_price: api_models.OutputPrice = None,
    quality: api_models.Quality = None,
    owner: Annotated[str, typer.Option(help="Who answers for it.")] = "",
    tag: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="To find it by. Repeatable.")
    ] = None,
    pinned: Annotated[  # noqa: FBT002 - an option
        bool, typer.Option("--pinned", help="Keep it in memory once it is there.")
    ] = False,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Register a GGUF file, a checkpoint, or with --provider a model behind an API, under an id.

    The path of a file that exists here is made absolute.
    """
    endpoint = Endpoint(
        base_url=base_url,
        api_key=api_key,
        organization=organization,
        api_version=api_version,
        headers=api_models.headers(header or ()),
        options=api_models.options(option or ()),
    )
    record = ModelRecord(
        id=model,
        name=name or model,
        format=weights.format_of(weights_format, provider),
        source=source if provider else absolute(source),
        config=ModelConfig(
            context_length=context_length,
            pinned=pinned or None,
            quantization=weights.type_of(quantization),
        ),
        capabilities=tuple(capability or DEFAULT_CAPABILITIES),
        provider=provider,
        endpoint=api_models.of_provider(endpoint, provider),
        pricing=api_models.pricing(input_price, output_price),
        quality=quality,
        owner=owner,
        tags=tuple(tag or ()),
    )
    run(register(target, record))


async def register(target: str, record: ModelRecord) -> None:
    """Register and say so."""
    async with connected(target) as backend:
        view = await backend.register_model(record)
    say(f"added {view.record.id}: {view.record.source}")


@commands.command("remove")
def remove(model: Id, target: Target = DEFAULT_TARGET) -> None:
    """Forget a model. Its file stays."""
    run(unregister(target, model))


async def unregister(target: str, model: str) -> None:
    """Unregister and say so."""
    async with connected(target) as backend:
        await backend.unregister_model(model)
    say(f"removed {model}")


@commands.command("show")
def show(  # noqa: PLR0913, PLR0917 - each option is a parameter
    model: Annotated[
        str,
        typer.Argument(help="The id of a model, or the path of a GGUF file of this machine."),
    ],
    context_length: inspection.ContextLength = None,
    parallel: inspection.Parallel = None,
    tensors: inspection.Tensors = False,  # noqa: FBT002
    as_json: inspection.Json = False,  # noqa: FBT002
    target: Target = DEFAULT_TARGET,
) -> None:
    """Show what the service knows of a model, or without a service what a file holds."""
    options = inspection.FileOptions(context_length, parallel, tensors, as_json)
    if inspection.is_file(model):
        inspection.show_file(model, options)
    else:
        options.check_unused()
        run(print_model(target, model))


async def print_model(target: str, model: str) -> None:
    """Every fact with a value."""
    async with connected(target) as backend:
        view = await backend.get_model(model)
    show_facts(facts(view))


@commands.command("load")
def load(model: Id, target: Target = DEFAULT_TARGET) -> None:
    """Bring a model into memory."""
    run(load_aloud(target, model))


async def load_aloud(target: str, model: str) -> None:
    """Load with a bar."""
    async with connected(target) as backend:
        with Progress(console=errors, transient=True) as bar:
            task = bar.add_task("loading", total=1.0)

            def on_progress(step: LoadProgress) -> None:
                bar.update(task, description=printable(step.phase), completed=step.fraction)

            view = await backend.load_model(model, on_progress)
    say(f"loaded {view.record.id}")


@commands.command("unload")
def unload(
    model: Id,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Seconds that running requests get to finish.",
            show_default="as long as they take",
        ),
    ] = None,
    target: Target = DEFAULT_TARGET,
) -> None:
    """Take a model out of memory once its running requests are done."""
    run(unload_aloud(target, model, timeout))


async def unload_aloud(target: str, model: str, timeout: float | None) -> None:  # noqa: ASYNC109
    """Unload and say so."""
    async with connected(target) as backend:
        await backend.unload_model(model, timeout)
    say(f"unloaded {model}")
