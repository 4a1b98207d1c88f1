"""Command lines in files, read as our own programs would read them."""

from collections.abc import Sequence

import click

from hybrid_bridge.cli.main import main as bridge
from relayers.cli import main as relayer

PROGRAMS = {"hybrid-bridge": bridge, "hybrid-relayer": relayer}


def parsed(program: str, given: Sequence[str]) -> click.Context:
    """As the program itself would read them; nothing is run. Folders and files need not be there."""
    command: click.Command = PROGRAMS[program]
    words = list(given)
    context = click.Context(command)
    while isinstance(command, click.Group):
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, parent=context, info_name=name)
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):
            parameter.type = click.Path()
    return command.make_context(command.name, words, parent=context.parent)
