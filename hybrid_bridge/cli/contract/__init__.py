"""`hybrid-bridge contract`: bring the contracts to a public chain, register a log, watch, stop and end it there."""

import click

from hybrid_bridge.cli.contract.deploying import deploy_command, key, verify_command
from hybrid_bridge.cli.contract.drafting import draft, sign
from hybrid_bridge.cli.contract.naming import names
from hybrid_bridge.cli.contract.powers import pause, pause_alone, resume, retire
from hybrid_bridge.cli.contract.proving import proof
from hybrid_bridge.cli.contract.registering import register_command, status
from hybrid_bridge.cli.contract.reporting import report


@click.group()
def command() -> None:
    """The contracts on the public chain: deploy, register and name a log, prove facts, pause, report, retire."""


for one in (key, deploy_command, verify_command, register_command, names, status, proof):
    command.add_command(one)
for one in (draft, sign, pause, pause_alone, resume, retire, report):
    command.add_command(one)
