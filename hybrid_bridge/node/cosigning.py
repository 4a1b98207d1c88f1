"""Lines under a checkpoint note that count for no quorum: who may put one there, ours, and those of others.

A validator's ML-DSA-44 line says what its attestation says, so the guard's row for that size stands before either. A
member's cosignature says: when I signed, this was the largest checkpoint of this log that I knew, and it extends all I
had seen. So it is made of the newest size alone, upwards, under a note that has a quorum. SPEC §8.3; C2SP cosignature.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from hybrid_bridge.adapters.sqlite.witness import Evidence
from hybrid_bridge.adapters.web.witness import ask_cosignatures
from hybrid_bridge.core.checkpoint import Note, quorum_name
from hybrid_bridge.core.mldsa import MldsaKey
from hybrid_bridge.core.note import TYPE_MLDSA, NoteLine, VerifierKey, cosign, verify_line
from hybrid_bridge.core.tlog_policy import parse_policy
from hybrid_bridge.errors import BridgeError, Broken, FieldMalformed, NotYet, SettingsMalformed
from hybrid_bridge.node.directory import Directory
from hybrid_bridge.node.view import View
from hybrid_bridge.units import Address, Digest, TreeSize

OLD: Final = 60  # seconds; a checkpoint older than that, and than two epochs, is not of today
PAUSE: Final = 5.0  # seconds; a log that does not grow is looked at again
RETRY: Final = 10.0  # seconds before a witness that gave no line is asked again
MAX_POLICY: Final = 1 << 16

_log = logging.getLogger(__name__)


def mldsa_key_of(directory: Directory, address: Address) -> VerifierKey | None:
    """A validator's post-quantum key, as its key binding names it."""
    member = directory.by_address(address)
    if member is None or member.mldsa_key is None:
        return None
    return VerifierKey(quorum_name(directory.origin, address), TYPE_MLDSA, member.mldsa_key)


def mldsa_line(key: MldsaKey, address: Address, note: Note) -> NoteLine:
    """Our second line under a note that the guard let us attest. Time zero: it says no more than the attestation."""
    return cosign(quorum_name(note.origin, address), key, 0, note.body())


def take_mldsa(view: View, address: Address, size: TreeSize, signature: bytes) -> None:
    """Keep the ML-DSA-44 line that came with a validator's attestation of our own root.

    Raises:
        FieldMalformed, SignatureWrong: it has no such key, or the line is not by it.
        NotYet: we have not closed this size.
    """
    key, note = mldsa_key_of(view.directory, address), view.logbook.checkpoint_note(size)
    if key is None:
        raise FieldMalformed(field="attestation.mldsa", rule="none by a validator that has no such key")
    line = NoteLine(key.name, key.key_id, signature)
    verify_line(key, line, note.body())
    view.epochs.cosign(size, line)


class Cosigner:
    """This member's own cosignature, and those of its peers."""

    def __init__(self, view: View) -> None:
        self._view, self._epochs, self._logbook = view, view.epochs, view.logbook
        self.key = view.directory.cosigner(view.name)
        if self.key is not None:
            view.progress.raised("cosigned", self._epochs.newest_cosigned(self.key))

    def run(self) -> None:
        """Cosign the newest note whenever one has a quorum, until stopped."""
        progress = self._view.progress
        progress.await_heard()
        while not progress.stopping:
            seen = progress.quorum
            self.cosign_newest()
            progress.wait_above("quorum", seen, PAUSE)

    def cosign_newest(self) -> None:
        """Put our line under the newest note with a quorum, if it is newer than the last that has one, and of today.

        A store of yesterday does not know what it has cosigned: it signs nothing before it has caught up by the clock.
        """
        view, size = self._view, self._view.progress.quorum
        if self.key is None or view.brake.stops or size <= self._epochs.newest_cosigned(self.key):
            return
        if view.clock.now() - self._logbook.checkpoint(size).timestamp > max(2 * view.directory.genesis.cadence, OLD):
            return
        note = self._logbook.checkpoint_note(size)
        line = cosign(self.key.name, self._view.keys.identity, self._view.clock.now(), note.body())
        self._epochs.cosign(size, line)  # Durable: we have seen this one. Dead here? Told at the next question.
        self._view.progress.raised("cosigned", size)

    def newest_of(self, name: str) -> TreeSize:
        """The newest size of which we hold a peer's line."""
        key = self._view.directory.cosigner(name)
        return TreeSize(0) if key is None else self._epochs.newest_cosigned(key)

    def take(self, name: str, size: TreeSize, root: Digest, signature: bytes) -> None:
        """Keep a peer's cosignature over our note; one over another root is evidence.

        Raises:
            FieldMalformed, SignatureWrong: it is not by this member's key.
            NotYet: we have not closed this size.
        """
        key, ours = self._view.directory.cosigner(name), self._logbook.checkpoint_note(size)
        if key is None:
            raise FieldMalformed(field="cosignature", rule="none by a member whose identity key is not of Ed25519")
        line = NoteLine(key.name, key.key_id, signature)
        verify_line(key, line, Note(ours.origin, size, root).body())
        if root != ours.root:
            evidence = Evidence(
                kind="cosignature", signer=key.key, number=size, first=ours.root, second=root + signature
            )
            self._view.brake.keep(evidence)
            return
        self._epochs.cosign(size, line)


class Witnessed:
    """Asks one outside witness to cosign our newest note."""

    def __init__(self, view: View, url: str, keys: Sequence[VerifierKey]) -> None:
        self._view, self._url, self._keys = view, url, tuple(keys)
        self._done = max(view.epochs.newest_cosigned(key) for key in keys)

    def run(self) -> None:
        """Ask whenever a note has a quorum and the log's line, until stopped."""
        progress = self._view.progress
        while not progress.stopping:
            try:
                self.ask()
            except Broken:
                raise
            except BridgeError as error:
                _log.info("no cosignature of %s: %s", self._keys[0].name, type(error).__name__)
                progress.wait(lambda: False, RETRY)
            progress.wait(lambda: self._newest() > self._done, PAUSE)

    def ask(self) -> None:
        """Ask once, if there is something newer than it has cosigned.

        Raises:
            BridgeError: no answer, a refusal, or no line by these keys.
        """
        size, logbook = self._newest(), self._view.logbook
        if size <= self._done:
            return
        text = logbook.note(size, cosigned=False)
        try:
            lines = ask_cosignatures(self._url, text, self._keys, lambda known: logbook.consistency_path(known, size))
        except NotYet:  # another member has shown it a later one
            lines = []
        for line in lines:
            self._view.epochs.cosign(size, line)
        self._done = size

    def _newest(self) -> TreeSize:
        return min(self._view.progress.quorum, self._view.progress.line)


def witnesses_of(view: View, data: bytes, file: str) -> list[Witnessed]:
    """The witnesses that a tlog-policy text names with a URL, one for each URL.

    Raises:
        Malformed: no policy, or no witness in it has a URL.
    """
    try:
        text = data[: MAX_POLICY + 1].decode("utf-8")
    except UnicodeDecodeError:
        raise SettingsMalformed(key=file, rule="tlog-policy text in UTF-8") from None
    policy = parse_policy(text)
    found = _by_url(policy.urls, policy.witnesses)
    if not found:
        raise SettingsMalformed(key=file, rule="a witness with a URL")
    return [Witnessed(view, url, keys) for url, keys in found.items()]


def _by_url(urls: Mapping[str, str], witnesses: Mapping[str, VerifierKey]) -> dict[str, list[VerifierKey]]:
    found: dict[str, list[VerifierKey]] = {}
    for name, url in urls.items():
        found.setdefault(url, []).append(witnesses[name])
    return found
