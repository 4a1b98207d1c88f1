"""Command lines in files, read as our own programs would read them."""

from collections.abc import Sequence
from copy import copy

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
    reading = copy(command)  # the command itself is every test's
    reading.params = [patient(parameter) for parameter in command.params]
    return reading.make_context(command.name, words, parent=context.parent)


def patient(parameter: click.Parameter) -> click.Parameter:
    """The same, content with a path at which nothing is."""
    found = copy(parameter)
    if isinstance(found.type, click.Path):
        found.type = click.Path()
    return found
