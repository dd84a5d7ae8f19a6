"""``llm-router migrate``: from older versions and other tools."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from llm_runner_router.cli import (
    migrate_folder,
    migrate_huggingface,
    migrate_langchain,
    migrate_ollama,
)

DEFAULT = "folder"


class FolderByDefault(TyperGroup):
    """``migrate DIR`` is ``migrate folder DIR``; a folder named as a command is: ``./env``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 - typer's own
        """Put the default command in where no other is named."""
        named = next((word for word in args if not word.startswith("-")), None)
        is_help = named is None and "--help" in args
        if named not in self.commands and not is_help:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


commands = typer.Typer(
    cls=FolderByDefault,
    help="Take over what users of older versions and of other tools have. `migrate [DIR]` takes a "
    "whole folder of LLM Runner Router 0.x to 1.2: see `migrate folder --help`.",
    no_args_is_help=False,
)

commands.command(DEFAULT, hidden=True)(migrate_folder.command_of([], migrate_folder.WHOLE))
for part, what in migrate_folder.PARTS.items():
    commands.command(part)(migrate_folder.command_of([part], f"Migrate only {what}."))
commands.command("ollama")(migrate_ollama.migrate_ollama)
commands.command("langchain")(migrate_langchain.migrate_langchain)
commands.command("huggingface")(migrate_huggingface.migrate_huggingface)
