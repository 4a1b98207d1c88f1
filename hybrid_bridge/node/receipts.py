"""The receipt key at work: one signature over a root serves every COSE receipt under that checkpoint (SPEC §14).

What keeps it honest: nobody hands it a root. Asked for a size, it signs the root of its own log at that size, and only
when a quorum of the validators has signed the same. The signature is deterministic, so nothing has to be kept, and
several who hold the key say the same.
"""

from collections.abc import Mapping
from typing import Protocol

from hybrid_bridge.core.exports.cose_receipt import sign_root, verify_root
from hybrid_bridge.errors import BridgeError, NotYet, Unknown
from hybrid_bridge.node.log_keys import holders
from hybrid_bridge.node.stores import OUR_OWN
from hybrid_bridge.node.view import View
from hybrid_bridge.units import TreeSize


class _Log(Protocol):
    def receipt(self, size: TreeSize) -> bytes: ...


class Asked(Protocol):
    """A peer, as far as it is needed here."""

    @property
    def log(self) -> _Log:
        """Its service for the log."""


def sign_receipt(view: View, size: TreeSize) -> bytes:
    """The receipt key's 64 bytes over the root of our checkpoint of `size`.

    Raises:
        Unknown: this member does not hold that key.
        NotYet: the checkpoint has no quorum here, or this member signs nothing.
    """
    if view.keys.receipt is None:
        raise Unknown(what="receipt key at this member")
    if view.brake.reason:
        raise NotYet(what="a receipt: this member signs no more until a person has looked")
    view.brake.require_free()
    if size < 2:
        raise NotYet(what="a checkpoint with a quorum")
    view.logbook.note(size)  # a quorum signed this root, or this raises
    return sign_root(view.keys.receipt, view.directory.origin, view.logbook.root(size))


def receipt_of(view: View, peers: Mapping[str, Asked], size: TreeSize) -> bytes:
    """The same 64 bytes by our own key, or else by the first member that holds it and answers well.

    Raises:
        BridgeError: nobody does: what the last one said.
    """
    if view.keys.receipt is not None and not (view.brake.stops and _asked(view, peers)):
        return sign_receipt(view, size)
    refused: BridgeError = NotYet(what="a receipt: nobody who holds that key is a peer of ours")
    for name in _asked(view, peers):
        try:
            signature = peers[name].log.receipt(size)
            verify_root(view.directory.genesis, view.directory.origin, view.logbook.root(size), signature)
        except OUR_OWN:
            raise
        except BridgeError as error:
            refused = error
        else:
            return signature
    raise refused


def _asked(view: View, peers: Mapping[str, Asked]) -> list[str]:
    """The sequencer; where an engine orders, whoever is known to hold it, and before them the sequencer if it is."""
    sequencer, known, before = view.directory.sequencer.name, set[str](), set[str]()
    if view.directory.engine is not None:
        known, before = holders(view), {*view.logbook.tellers}  # of before: after those who live
    names = [*sorted(known, key=lambda name: (name != sequencer, name)), *sorted(before), sequencer]
    return [name for name in dict.fromkeys(names) if name in peers]
