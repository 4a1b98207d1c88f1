"""`python -m hybrid_bridge` is `hybrid-bridge`: its entry point, which may be interrupted while it still imports."""

import sys


def run() -> None:
    """Import the commands, then run the one that is meant."""
    try:
        from hybrid_bridge.cli import main  # noqa: PLC0415 within reach of the line below
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(130)
    main.run()


if __name__ == "__main__":
    run()
