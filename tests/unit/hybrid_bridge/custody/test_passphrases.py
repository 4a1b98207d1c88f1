"""Passphrases come from where the settings say, bounded in bytes and time, and are shown nowhere."""

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_bridge.custody.passphrases import (
    MAX_PASSPHRASE,
    FromCommand,
    FromDescriptor,
    FromFile,
    Passphrase,
    parse_passphrase,
    reader,
)
from hybrid_bridge.errors import KeyUnusable, SettingsMalformed
from hybrid_bridge.units import Seconds

FOLDER = Path("/etc/hybrid-relayer")
SECRET = "correct horse battery staple"


def fetched(source: Passphrase, patience: int = 30) -> str:
    return reader(source, "chain.signer", Seconds(patience))()


def refused(source: Passphrase, patience: int = 30) -> str:
    with pytest.raises(KeyUnusable) as caught:
        fetched(source, patience)
    assert caught.value.key == "chain.signer" or isinstance(source, FromFile)
    assert SECRET not in str(caught.value)
    return caught.value.rule


def script(folder: Path, text: str) -> FromCommand:
    path = folder / "program"
    path.write_text(f"#!{sys.executable}\nimport os, sys, time\n{text}\n")
    path.chmod(0o700)
    return FromCommand((str(path), "one", "$HOME;*"))


def piped(data: bytes, *, close: bool = True) -> int:
    """A descriptor from which `data` can be read."""
    read, write = os.pipe()
    os.write(write, data)
    if close:
        os.close(write)
    return read


# ── settings ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("file:pin", FromFile(FOLDER / "pin")),
        ("file:/run/credentials/pin", FromFile(Path("/run/credentials/pin"))),
        ("fd:0", FromDescriptor(0)),
        ("fd:9", FromDescriptor(9)),
        ("command:/usr/bin/pass show relayer/gas", FromCommand(("/usr/bin/pass", "show", "relayer/gas"))),
        ("command:/opt/pin", FromCommand(("/opt/pin",))),
    ],
)
def test_a_source_is_one_of_three(text: str, source: Passphrase) -> None:
    assert parse_passphrase(text, FOLDER, "key") == source


@pytest.mark.parametrize(
    "text",
    [
        "", "file:", "secret", "env:PIN", "fd:", "fd:1", "fd:2", "fd:-1", "fd:07", "fd:3 ", "fd:1024", "fd:99999", "fd:\uff13",
        "command:", "command:pass", "command:./pass", "command:/bin/sh  -c", "command:/bin/sh ", "command:/bin/a\nb",
        "command: /bin/a", "FILE:pin", "password:hunter2",
    ],
)  # fmt: skip
def test_everything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(SettingsMalformed) as caught:
        parse_passphrase(text, FOLDER, "chain.signer")
    assert caught.value.key == "chain.signer"
    assert "hunter2" not in str(caught.value)


@given(st.text(max_size=40))
def test_arbitrary_text_leaves_only_our_error(text: str) -> None:
    with suppress(SettingsMalformed):
        parse_passphrase(text, FOLDER, "key")


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_file_gives_its_text_without_one_newline(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.touch(mode=0o600)
    path.write_text(SECRET + "\n\n")
    assert fetched(FromFile(path)) == SECRET + "\n"


def test_an_empty_file_and_one_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.touch(mode=0o600)
    path.write_text("\n")
    assert "empty" in refused(FromFile(path))
    path.write_text(SECRET)
    path.chmod(0o640)
    assert "chmod 600" in refused(FromFile(path))


# ── descriptors ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_descriptor_is_read_once_closed_and_remembered() -> None:
    number = piped(SECRET.encode() + b"\n")
    ask = reader(FromDescriptor(number), "key")
    assert [ask(), ask()] == [SECRET, SECRET]
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(number)


def test_a_descriptor_may_be_a_plain_file(tmp_path: Path) -> None:
    path = tmp_path / "pin"
    path.write_text(SECRET)
    assert fetched(FromDescriptor(os.open(path, os.O_RDONLY))) == SECRET


def test_a_passphrase_that_comes_in_pieces_is_waited_for() -> None:
    read, write = os.pipe()

    def drip() -> None:
        for letter in SECRET.encode():
            os.write(write, bytes([letter]))
        os.close(write)

    thread = threading.Thread(target=drip)
    thread.start()
    assert fetched(FromDescriptor(read)) == SECRET
    thread.join()


def test_a_descriptor_that_is_closed_or_for_writing_is_refused() -> None:
    read, write = os.pipe()
    os.close(read)
    assert "open for reading" in refused(FromDescriptor(read))
    assert refused(FromDescriptor(write))


def test_a_descriptor_that_nobody_closes_is_given_up() -> None:
    read, write = os.pipe()
    os.write(write, SECRET.encode())
    assert "in time" in refused(FromDescriptor(read), patience=0)
    os.close(write)


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"\xff\xfe", b"x" * (MAX_PASSPHRASE + 1)], ids=["none", "newline", "noise", "long"]
)
def test_what_is_no_passphrase_is_refused_whatever_brings_it(data: bytes, tmp_path: Path) -> None:
    assert refused(FromDescriptor(piped(data)))
    path = tmp_path / "plain"
    path.write_bytes(data)
    assert refused(FromDescriptor(os.open(path, os.O_RDONLY)))
    assert refused(script(tmp_path, f"os.write(1, {data!r})"))


def test_the_longest_passphrase_is_taken() -> None:
    assert len(fetched(FromDescriptor(piped(b"x" * MAX_PASSPHRASE)))) == MAX_PASSPHRASE


# ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_command_gets_its_words_as_they_are_and_no_terminal(tmp_path: Path) -> None:
    source = script(tmp_path, "assert not sys.stdin.read(); print('|'.join(sys.argv[1:]))")
    assert fetched(source) == "one|$HOME;*"


def test_a_command_is_asked_each_time(tmp_path: Path) -> None:
    ask = reader(script(tmp_path, f"open({str(tmp_path / 'count')!r}, 'a').write('x'); print('{SECRET}')"), "key")
    assert [ask(), ask()] == [SECRET, SECRET]
    assert (tmp_path / "count").read_text() == "xx"


def test_a_command_that_fails_is_refused_and_its_complaint_is_dropped(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert "exit code 0" in refused(
        script(tmp_path, f"print('{SECRET}'); print('{SECRET}', file=sys.stderr); sys.exit(1)")
    )
    assert capfd.readouterr() == ("", "")


def test_what_cannot_be_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    for path in (tmp_path / "none", tmp_path / "text", tmp_path):
        assert "can be run" in refused(FromCommand((str(path),)))


def test_a_command_that_never_ends_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    source = script(
        tmp_path,
        f"child = os.fork()\nopen({str(mark)!r}, 'a').write(f'{{os.getpid()}}\\n')\nprint('x', flush=True)\ntime.sleep(600)",
    )
    assert "in time" in refused(source, patience=2)
    pids = [int(line) for line in mark.read_text().split()] if mark.exists() else []
    end = time.monotonic() + 30
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < end, "a child of the command lives on"
        time.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_command_that_has_said_everything_and_does_not_end_is_killed(tmp_path: Path) -> None:
    assert refused(script(tmp_path, f"print('{SECRET}', flush=True); os.close(1); time.sleep(600)"), patience=3)


def test_a_command_that_prints_for_ever_is_cut_off(tmp_path: Path) -> None:
    assert "at most" in refused(script(tmp_path, "while True: os.write(1, b'x' * 65536)"))


def test_no_process_is_given_the_passphrase_as_an_argument(tmp_path: Path) -> None:
    """What we start is what the settings name, word by word."""
    source = script(tmp_path, "print(open('/proc/self/cmdline').read().replace(chr(0), ' '))")
    assert fetched(source).split(" ")[1:-1] == list(source.words)


def test_a_descriptor_is_inherited_as_a_supervisor_hands_it_down(tmp_path: Path) -> None:
    read = piped(SECRET.encode())
    code = (
        "import sys; from hybrid_bridge.custody.passphrases import FromDescriptor, reader\n"
        f"print(len(reader(FromDescriptor({read}), 'key')()))"
    )
    done = subprocess.run([sys.executable, "-c", code], pass_fds=(read,), capture_output=True, text=True, check=True)
    os.close(read)
    assert done.stdout.strip() == str(len(SECRET))
