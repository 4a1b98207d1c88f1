"""`python -m hybrid_bridge` is `hybrid-bridge`."""

from hybrid_bridge.cli.main import run

run()
