"""The commands of ``llm-router``, put together."""

from __future__ import annotations

import typer

from llm_runner_router.cli import (
    aliases,
    backups,
    chat,
    demo,
    migrate,
    models,
    pull,
    quantize,
    rollback,
    route,
    serve,
    templates,
    usage,
    validate_config,
)

app = typer.Typer(
    help="Route requests over gRPC to GGUF models and API providers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("demo")(demo.demo)
app.command("pull")(pull.pull)
app.command("chat")(chat.chat)
app.command("rollback")(rollback.rollback)
app.command("route")(route.route)
app.command("usage")(usage.usage)
app.command("quantize")(quantize.quantize)
app.command("validate-config")(validate_config.validate_config)
app.add_typer(models.commands, name="models")
app.add_typer(aliases.commands, name="aliases")
app.add_typer(backups.commands, name="backups")
app.add_typer(migrate.commands, name="migrate")
app.add_typer(templates.commands, name="templates")
