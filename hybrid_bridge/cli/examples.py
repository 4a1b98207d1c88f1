"""`hybrid-bridge examples`: bundles, good and bad, out of the package: no network, no clone."""

from importlib.resources import files
from pathlib import Path

import click

from hybrid_bridge.cli.outputs import writing
from hybrid_bridge.errors import SettingsMalformed


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(folder: Path) -> None:
    """Write example bundles and the trust file that goes with them into FOLDER.

    Nothing is written over: if one of the files is there already, none is written.

    They were recorded from a run of `hybrid-bridge demo` and are kept as they were: real signatures, a real EVM's
    receipts, TEST companies.
    """
    with writing("FOLDER"):
        folder.mkdir(parents=True, exist_ok=True)
    package = files("hybrid_bridge.cli").joinpath("example_files")
    stored = sorted(package.iterdir(), key=lambda item: item.name)
    for item in stored:
        target = folder / item.name
        if target.exists():
            raise SettingsMalformed(key="FOLDER", rule=f"one without {item.name}: nothing is written over")
    for item in stored:
        with writing("FOLDER"):
            (folder / item.name).write_bytes(item.read_bytes())
        click.echo(folder / item.name)
