"""How a command ends: errors by who must act, exit codes by meaning, never a traceback taken for a verdict.

0 verified or done · 1 refuted · 2 usage, malformed or rejected · 3 undecided or incomplete · 4 broken or unforeseen.
"""

import atexit
import errno
import gc
import json
import sys
import warnings
from dataclasses import fields
from typing import NoReturn

import click

from hybrid_bridge.cli.outputs import close_output
from hybrid_bridge.core.encoding import Json
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    Broken,
    CodeMismatch,
    KeyUnusable,
    Malformed,
    Refuted,
    Rejected,
    SettingsMalformed,
    StoreInUse,
    StoreMissing,
    Undecided,
)

INTERRUPTED = 130  # what shells use for SIGINT
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # of a disk, or of whatever takes standard output

_BRANCHES = (
    (Malformed, "malformed", "whoever made these bytes must mend them"),
    (Refuted, "REFUTED", "keep the file: it is evidence"),
    (Undecided, "undecided", "bring what is missing, or try again later"),
    (Rejected, "rejected", "the request must change"),
    (Broken, "BROKEN", "stop, and run fsck"),
)


_NEARER = {  # who must act is nearer than the branch says
    SettingsMalformed: "mend this setting or option, and call again",
    AnswerMalformed: "look at the address, or ask another endpoint",
    CodeMismatch: "stop: look at the address, and whether this program's version is the one that was deployed",
    KeyUnusable: "mend this key, and call again; nothing was done",
    StoreMissing: "do what its rule says; nothing was made or changed",
    StoreInUse: "stop the program that has it, a node for instance, and call again; nothing was done",
}


def branch_of(error: BridgeError) -> tuple[str, str]:
    """The branch's name and who must act."""
    name, act = next(((name, act) for cls, name, act in _BRANCHES if isinstance(error, cls)), ("BROKEN", "stop"))
    return name, _NEARER.get(type(error), act)


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
        "notes": [*_notes(error)],
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
    atexit.register(gc.freeze)  # what is left goes with the process; looking through it would cost a third of a second
    warnings.filterwarnings("ignore", "Attribute's length must be")  # of names in certificates, which are refused here
    try:
        result = command.main(prog_name=name, standalone_mode=False)
    except (click.Abort, KeyboardInterrupt) as error:  # click makes the one of the other
        click.echo(" ".join(["interrupted", *_notes(error), *_notes(error.__cause__)]), err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BridgeError as error:
        _report(error, as_json=as_json)
        sys.exit(error.exit_code)
    except SystemExit as end:  # click ends with 1 when nobody reads our output any more: that is our "refuted"
        sys.exit(4 if end.code == 1 else end.code)
    except BrokenPipeError:
        close_output()
        sys.exit(4)
    except OSError as error:
        close_output()
        _report_system(error)
        sys.exit(4)
    except BaseException:  # noqa: BLE001 a crash must not end with Python's 1
        _report_unforeseen()
        sys.exit(4)
    sys.exit(result if isinstance(result, int) else 0)


def _report_system(error: OSError) -> None:
    if error.errno in FULL:
        click.echo(f"nothing more can be written ({error.strerror}): no verdict. Exit code 4.", err=True)
    else:
        _report_unforeseen()


def _report_unforeseen() -> None:
    import traceback  # noqa: PLC0415 only when something unforeseen happened

    traceback.print_exc()
    click.echo("This is a fault of the program, not a verdict. Exit code 4.", err=True)


def _report(error: BridgeError, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(error_json(error), indent=2))
        return
    name, act = branch_of(error)
    click.echo(f"{name}: {error}", err=True)
    for note in _notes(error):
        click.echo(f"  {plain(note)}", err=True)
    click.echo(f"  → {act}", err=True)


def _notes(error: BaseException | None) -> list[str]:
    return list(getattr(error, "__notes__", []))
