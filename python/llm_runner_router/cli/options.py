"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

DEFAULT_TARGET = "127.0.0.1:50051"
CONNECT_SECONDS = 3.0

Target = Annotated[
    str,
    typer.Option(
        "--target",
        "-t",
        envvar="LLM_ROUTER_TARGET",
        metavar="HOST:PORT",
        help="The service to talk to.",
    ),
]
