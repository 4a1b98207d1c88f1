"""`hybrid-bridge`: one module a command, loaded when it is called, so that `verify` never pays for web3 or gRPC."""

from importlib import import_module
from typing import Final

import click

from hybrid_bridge.cli.exits import invoke

COMMANDS: Final = {
    "verify": "Check a bundle, export or package: each verdict, what it rests on, what is not proven.",
    "report": "Write a verification report of a bundle for a court or an auditor: PDF, HTML, in English or Chinese.",
    "compare": "Were two outsiders shown the same history? Two bundles, side by side.",
    "bundle": "Explain a bundle; put anchors, timestamps, renewals into it; pack it with its documents.",
    "export": "Write what a bundle proves in a format that other people's tools read.",
    "witness": "Be a witness of logs, or ask one to cosign a bundle's checkpoint.",
    "tiles": "Write the log as static tiles for other people's tools, or serve them.",
    "examples": "Write example bundles, good and bad, into a folder.",
    "demo": "Play a whole consortium, a public chain and an outsider on this machine.",
    "consortium": "Found a consortium: authority, keys, genesis record.",
    "node": "Run one member's node.",
    "guard": "What a validator's key has signed: look, export, import, restore a backup.",
    "member": "One's own desk: submit records, ask for bundles; admit, suspend, remove members, change keys.",
    "brake": "Stop the ledger, a record type or a member until an epoch; see what is stopped.",
    "freeze": "Freeze single objects by an order, lift it, see what is frozen.",
    "erase": "Erase documents at one's own node: fields, salts, label openings; a tombstone stays.",
    "evidence": "Turn a promise that a node broke into evidence for anybody.",
    "members": "Who keeps a log's accounts, from the public contract alone: sets, names, signers, independence.",
    "watch": "Watch a log for ever: the contract, the members' public copies; tell when it is late, and when it lies.",
    "explorer": "Write a log's public face as one page: keepers, anchors, delays, brakes, costs; or serve it.",
    "registry": "Ask whether an invoice, declaration or bill of lading is registered; keep the proof.",
    "audit": "Replay the registry from its deltas: it only grew, and nothing vanished.",
    "ledger": "See which numbers of each submitter the ledger holds.",
    "contract": "Deploy and read the public contract.",
    "devnet": "Run an embedded public chain on loopback.",
}


class LazyCommands(click.Group):
    """A group whose commands are imported when called; help texts are known without importing anything."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The attribute `command` of the module named like the command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"hybrid_bridge.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list above, without importing the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="hybrid-bridge", prog_name="hybrid-bridge")
def main() -> None:
    """A consortium's ledger that anybody can check and only those entitled can read.

    \b
    Exit codes: 0 verified or done · 1 refuted · 2 usage, malformed or rejected
                3 undecided or incomplete · 4 broken
    Shell completion: eval "$(_HYBRID_BRIDGE_COMPLETE=bash_source hybrid-bridge)"
    """  # noqa: D301 click reads the escape


def run() -> None:
    """Entry point of the console script."""
    invoke(main, "hybrid-bridge")
