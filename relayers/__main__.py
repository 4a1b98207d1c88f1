"""`python -m relayers` is `hybrid-relayer`."""

from relayers.cli import run

run()
