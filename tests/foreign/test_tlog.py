"""Our tlog-proofs read by a Go program of golang.org/x/mod/sumdb and filippo.io/torchwood."""

import base64
import subprocess
from dataclasses import replace

import pytest

from hybrid_bridge.core.exports.tlog_proof import tlog_proof_of
from hybrid_bridge.core.note import TYPE_ED25519, vkey
from tests.bundles import consortium, flip
from tests.engines import engine

pytestmark = pytest.mark.engine
WORLD = consortium()
VKEY = vkey(WORLD.origin, TYPE_ED25519, WORLD.genesis.log_key)


def read(data: bytes, key: str = VKEY) -> tuple[int, str]:
    """Exit code 0: both readers accept; 1: both refuse; 3: they disagree."""
    done = subprocess.run([engine("tlog-reader"), key], input=data, capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode() + done.stderr.decode()


def proof(epoch: int = 2):
    return tlog_proof_of(WORLD.history(), epoch)


@pytest.mark.parametrize("epoch", [1, 2, 3])
def test_both_readers_accept_our_proof_and_its_note(epoch):
    assert read(proof(epoch).encode()) == (0, "torchwood: <nil>\nsumdb: <nil>\n")


def test_they_accept_every_epoch_under_a_later_checkpoint():
    for epoch in range(1, 6):
        made = tlog_proof_of(WORLD.bundle(6, WORLD.epoch_part(epoch, 6)), epoch)
        assert read(made.encode())[0] == 0


def lines(change) -> bytes:
    head, note = proof().encode().split(b"\n\n", 1)
    changed = head.split(b"\n")
    change(changed)
    return b"\n".join(changed) + b"\n\n" + note


def signature_changed() -> bytes:
    data = proof().encode()
    at = data.index("— ".encode() + WORLD.origin.encode() + b" ") + len("— ".encode()) + len(WORLD.origin) + 1
    line, rest = data[at:].split(b"\n", 1)
    return data[:at] + base64.b64encode(flip(base64.b64decode(line), 300)) + b"\n" + rest


REFUSED = {
    "record-changed": lambda: lines(lambda at: at.__setitem__(1, b"extra " + base64.b64encode(flip(proof().record)))),
    "index-of-neighbour": lambda: lines(lambda at: at.__setitem__(2, b"index 3")),
    "path-one-short": lambda: lines(lambda at: at.pop()),
    "path-one-long": lambda: lines(lambda at: at.append(at[-1])),
    "siblings-reversed": lambda: lines(lambda at: at.extend([at.pop(), at.pop()])),
    "root-changed": lambda: proof().encode().replace(base64.b64encode(WORLD.log.root(4)), base64.b64encode(bytes(32))),
    "signature-changed": signature_changed,
    "other-version": lambda: lines(lambda at: at.__setitem__(0, b"c2sp.org/tlog-proof@v2")),
    "note-of-another-size": lambda: replace(proof(), note=WORLD.note(6)).encode(),
}


@pytest.mark.parametrize("name", REFUSED)
def test_both_refuse_what_we_refuse(name):
    code, words = read(REFUSED[name]())
    assert code == 1, words


def test_both_refuse_our_proof_under_the_key_of_another_log():
    other = consortium("other.example/log")
    code, words = read(proof().encode(), vkey(other.origin, TYPE_ED25519, other.genesis.log_key))
    assert code == 1, words
