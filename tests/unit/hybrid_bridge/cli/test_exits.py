"""How commands end: by who must act; a crash is never taken for a verdict."""

import errno
import sys

import click
import pytest

from hybrid_bridge.cli.exits import branch_of, error_json, invoke
from hybrid_bridge.errors import (
    AnswerMalformed,
    BridgeError,
    Broken,
    CodeMismatch,
    FieldMalformed,
    FieldMismatch,
    KeyUnusable,
    Malformed,
    Missing,
    Refuted,
    Rejected,
    RootMismatch,
    SettingsMalformed,
    StoreBroken,
    Undecided,
    UnknownLog,
)

ERRORS = [
    (FieldMalformed(field="f", rule="r"), 2, "malformed"),
    (FieldMismatch(field="f", expected="a", got="b"), 1, "REFUTED"),
    (Missing(what="w"), 3, "undecided"),
    (UnknownLog(log_id=bytes(32)), 2, "rejected"),
    (StoreBroken(store="s", rule="r"), 4, "BROKEN"),
    (BridgeError(), 4, "BROKEN"),
]


def ended(monkeypatch, raised=None, result=None, arguments=()):
    @click.command()
    @click.option("--json", "as_json", is_flag=True)
    def command(as_json):
        if raised is not None:
            raise raised
        return result

    monkeypatch.setattr(sys, "argv", ["x", *arguments])
    with pytest.raises(SystemExit) as end:
        invoke(command, "x")
    return end.value.code


@pytest.mark.parametrize(("error", "code", "name"), ERRORS, ids=lambda value: type(value).__name__)
def test_errors_end_by_who_must_act(monkeypatch, capsys, error, code, name):
    assert ended(monkeypatch, error) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"{name}: {type(error).__name__}")
    assert captured.err.splitlines()[-1].startswith("  → ")


@pytest.mark.parametrize(("error", "code", "name"), ERRORS, ids=lambda value: type(value).__name__)
def test_machines_get_errors_as_json(monkeypatch, capsys, error, code, name):
    assert ended(monkeypatch, error, arguments=["--json"]) == code
    assert f'"branch": "{name.lower()}"' in capsys.readouterr().out
    assert error_json(error)["exit_code"] == code


def test_bytes_in_an_error_are_hex():
    error = RootMismatch(expected=b"\x01" * 32, calculated=b"\x02" * 32)
    assert error_json(error)["fields"] == {"expected": "01" * 32, "calculated": "02" * 32}


@pytest.mark.parametrize(("result", "code"), [(None, 0), (0, 0), (3, 3), ("text", 0)])
def test_a_command_ends_with_the_number_it_returns(monkeypatch, result, code):
    assert ended(monkeypatch, result=result) == code


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (ValueError("x"), 4),
        (AssertionError(), 4),
        (RecursionError(), 4),
        (MemoryError(), 4),
        (BrokenPipeError(errno.EPIPE, "closed"), 4),
        (OSError(errno.ENOSPC, "full"), 4),
        (FileNotFoundError(errno.ENOENT, "none"), 4),
        (click.UsageError("no"), 2),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (SystemExit(7), 7),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_else_happens_is_no_verdict(monkeypatch, capsys, raised, code):
    """Python's own status for a traceback is 1, which is our "refuted"."""
    assert ended(monkeypatch, raised) == code
    capsys.readouterr()


def test_every_branch_has_a_name_and_an_exit_code_of_its_meaning():
    for cls, code in ((Malformed, 2), (Refuted, 1), (Undecided, 3), (Rejected, 2), (Broken, 4)):
        assert cls().exit_code == code
        assert branch_of(cls())[0].lower() == cls.__name__.lower()


@pytest.mark.parametrize(
    ("error", "act"),
    [
        (
            CodeMismatch(expected=bytes(32), got=bytes(32)),
            "stop: look at the address, and whether this program's version is the one that was deployed",
        ),
        (SettingsMalformed(key="--out", rule="r"), "mend this setting or option, and call again"),
        (KeyUnusable(key="password", rule="chmod 600"), "mend this key, and call again; nothing was done"),
        (AnswerMalformed(endpoint="e", call="c", rule="r"), "look at the address, or ask another endpoint"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_next_step_fits_who_can_take_it(monkeypatch, capsys, error, act):
    ended(monkeypatch, error)
    assert capsys.readouterr().err.splitlines()[-1] == f"  → {act}"


@pytest.mark.parametrize("kind", [click.Abort, KeyboardInterrupt])
def test_an_interruption_is_told_once_with_where_it_came(monkeypatch, capsys, kind):
    error = kind()
    error.add_note("in the act “x”")
    assert ended(monkeypatch, error) == 130
    assert capsys.readouterr().err.split() == ["interrupted", "in", "the", "act", "“x”"]
