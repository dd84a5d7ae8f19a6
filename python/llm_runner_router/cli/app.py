"""The commands of ``llm-router``, put together."""

from __future__ import annotations

import typer

from llm_runner_router.cli import chat, demo, models, serve

app = typer.Typer(
    help="Answer requests from GGUF models over gRPC.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("chat")(chat.chat)
app.add_typer(models.commands, name="models")
