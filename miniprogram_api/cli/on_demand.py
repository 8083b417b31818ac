"""按需装载 (on demand): the commands of a group, each imported when it is asked for.

A command needs a part of the whole; the simulator, say, has no use for pages and letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click


class CommandsOnDemand(click.Group):
    """`of`: the name of a command → `module:command`, the module within this package."""

    def __init__(self, *arguments: Any, of: Mapping[str, str], **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._of = of

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in order."""
        return sorted(self._of)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As any group's; who mistypes is told the names that are near."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(
                error.command_name, possibilities=self._of, ctx=ctx
            ) from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, or None."""
        if cmd_name not in self._of:
            return None
        module, _, name = self._of[cmd_name].partition(":")
        command = getattr(import_module(f"miniprogram_api.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command
