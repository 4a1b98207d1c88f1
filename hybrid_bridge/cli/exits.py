"""How a command ends: errors by who must act, exit codes by meaning, never a traceback taken for a verdict.

0 verified or done · 1 refuted · 2 usage, malformed or rejected · 3 undecided or incomplete · 4 broken or unforeseen.
"""

import json
import sys
from dataclasses import fields
from typing import NoReturn

import click

from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import BridgeError, Broken, Malformed, Refuted, Rejected, Undecided

INTERRUPTED = 130  # what shells use for SIGINT

_BRANCHES = (
    (Malformed, "malformed", "whoever made these bytes must mend them"),
    (Refuted, "REFUTED", "keep the file: it is evidence"),
    (Undecided, "undecided", "bring what is missing, or try again later"),
    (Rejected, "rejected", "the request must change"),
    (Broken, "BROKEN", "stop, and run fsck"),
)


def branch_of(error: BridgeError) -> tuple[str, str]:
    """The branch's name and who must act."""
    return next(((name, act) for cls, name, act in _BRANCHES if isinstance(error, cls)), ("BROKEN", "stop"))


def error_json(error: BridgeError) -> dict[str, Json]:
    """An error for machines: class, branch, fields, how far the work had come."""
    shown: dict[str, Json] = {}
    for field in fields(error):
        value = getattr(error, field.name)
        shown[field.name] = value.hex() if isinstance(value, bytes) else value
    return {
        "error": type(error).__name__,
        "branch": branch_of(error)[0].lower(),
        "fields": shown,
        "message": str(error),
        "notes": list(getattr(error, "__notes__", [])),
        "stopped_at": error.stopped_at,
        "reached": list(error.reached),
        "exit_code": error.exit_code,
    }


def plain(text: str) -> str:
    """Text of strangers for a terminal: whatever does not print, or would turn the line around, stands as its number.

    A field in a bundle is its holder's: without this it could draw a verdict of its own.
    """
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def invoke(command: click.Command, name: str) -> NoReturn:
    """Run a command and leave with the exit code its outcome means."""
    as_json = "--json" in sys.argv[1:]
    try:
        result = command.main(prog_name=name, standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BridgeError as error:
        _report(error, as_json=as_json)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(4)
    except BaseException as error:
        if isinstance(error, SystemExit):
            raise
        import traceback  # noqa: PLC0415 only when something unforeseen happened

        traceback.print_exc()
        click.echo("This is a fault of the program, not a verdict. Exit code 4.", err=True)
        sys.exit(4)


def _report(error: BridgeError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(error_json(error), indent=2))
        return
    name, act = branch_of(error)
    click.echo(f"{name}: {error}", err=True)
    for note in getattr(error, "__notes__", []):
        click.echo(f"  {plain(note)}", err=True)
    click.echo(f"  → {act}", err=True)
