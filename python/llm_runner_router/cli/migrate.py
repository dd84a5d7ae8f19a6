"""``llm-router migrate``: from older versions and other tools."""

from __future__ import annotations

import click
import typer
from typer.core import TyperGroup

DEFAULT = "folder"


class FolderByDefault(TyperGroup):
    """``migrate DIR`` is ``migrate folder DIR``; a folder named as a command is: ``./env``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the default command in where no other is named."""
        named = next((word for word in args if not word.startswith("-")), None)
        if named not in self.commands and "--help" not in args:
            args = [DEFAULT, *args]
        return super().parse_args(ctx, args)


commands = typer.Typer(
    cls=FolderByDefault,
    help="Take over configuration, registry, models and prompts of older versions and other tools.",
    no_args_is_help=False,
)
