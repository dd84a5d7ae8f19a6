# ruff: noqa: PLC0415 - other commands should not wait for gRPC, the engine and pydantic
"""``llm-router serve``: the service in the foreground."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llm_runner_router.backend import Backend
from llm_runner_router.cli.output import errors
from llm_runner_router.cli.running import run
from llm_runner_router.cli.served_folder import recover_folder, served
from llm_runner_router.errors import ModelNotFoundError
from llm_runner_router.local_path import expanded, is_regular
from llm_runner_router.registry.records import ModelRecord
from llm_runner_router.types import ModelFormat

if TYPE_CHECKING:
    from llm_runner_router.config.sources import LoadedConfig

REGISTRY_FILE = "registry.sqlite"

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def parse_model(text: str) -> tuple[str, Path]:
    """``id=path.gguf`` as the id and the absolute path of a file that exists."""
    model, separator, path = text.partition("=")
    if not (separator and model and path):
        raise typer.BadParameter(f"{text!r} is not of the form id=path.gguf")
    file = expanded(path).absolute()
    if not is_regular(file):
        raise typer.BadParameter(f"{text!r}: there is no such file")
    return model, file


def serve(  # noqa: PLR0913, PLR0917 - each option is a parameter
    host: Annotated[
        str | None, typer.Option(help="Address to bind.", show_default="127.0.0.1")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port to bind; 0 takes a free one.", show_default="50051"),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Configuration file.",
            show_default="config/config.json, config.json or .llmrouter.json",
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="ID=PATH", help="A GGUF file to serve under an id. Repeatable."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of the registry of models.",
            show_default="registry.path of the configuration, or the user's data folder",
        ),
    ] = None,
    drain_timeout: Annotated[
        float | None,
        typer.Option(help="Seconds that running requests get to finish.", show_default="30"),
    ] = None,
) -> None:
    """Run the service until SIGTERM or Ctrl-C, then let running requests finish."""
    files = [parse_model(text) for text in model or ()]
    server = {"host": host, "port": port, "drain_timeout": drain_timeout}
    run(serve_until_signal(explicit_values(server), config, data, files))


def explicit_values(server: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the command line sets, as a configuration."""
    return {"server": {key: value for key, value in server.items() if value is not None}}


async def serve_until_signal(
    explicit: Mapping[str, Any],
    config_file: Path | None,
    data: Path | None,
    files: Sequence[tuple[str, Path]],
) -> None:
    """Compose the router of this process and put it on the wire."""
    from llm_runner_router.runtime import Runtime
    from llm_runner_router.server.app import ServerOptions
    from llm_runner_router.server.app import serve as serve_backend

    logging.basicConfig(format=LOG_FORMAT)
    recover_folder(config_file)
    loaded = with_registry(explicit, config_file, data)
    settings = loaded.config.server
    options = ServerOptions(settings.host, settings.port, settings.drain_timeout)
    runtime = Runtime(loaded)
    with served(loaded, announce) as announced:
        try:
            await runtime.initialize()
            for model, file in files:
                await keep(runtime, model, file)
            await serve_backend(runtime, options, announced)
        finally:
            await runtime.close()


def announce(address: str) -> None:
    """Say that requests are taken. On standard error, as logs are."""
    errors.print(f"llm-router is listening on {address} (gRPC). Ctrl-C stops it.", markup=False)


def with_registry(
    explicit: Mapping[str, Any], config_file: Path | None, data: Path | None
) -> LoadedConfig:
    """The configuration, with a registry file in any case."""
    from llm_runner_router.config.sources import load_config
    from llm_runner_router.config.tree import RegistryConfig

    loaded = load_config(explicit, config_file)
    registry = loaded.config.registry
    if data is None and (registry.path is not None or registry.url is not None):
        return loaded
    folder = user_data_folder() if data is None else data.absolute()
    kept = RegistryConfig(path=str(folder / REGISTRY_FILE))
    return replace(loaded, config=loaded.config.model_copy(update={"registry": kept}))


def user_data_folder() -> Path:
    """Where this user's applications keep their data."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "llm-runner-router"


async def keep(backend: Backend, model: str, file: Path) -> None:
    """Register a file under an id, or give the id this file if it is registered already."""
    record = ModelRecord(id=model, name=model, format=ModelFormat.GGUF, source=str(file))
    try:
        present = (await backend.get_model(model)).record
    except ModelNotFoundError:
        present = None
    if present is None or present.id != model:  # what was found is a version of it, and stays
        await backend.register_model(record)
    elif present.source != record.source:
        await backend.update_model(record, ("format", "source"))
