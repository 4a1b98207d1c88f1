"""The receipt key at work: one signature over a root serves every COSE receipt under that checkpoint (SPEC §14).

What keeps it honest: nobody hands it a root. Asked for a size, it signs the root of its own log at that size, and only
when a quorum of the validators has signed the same. The signature is deterministic, so nothing has to be kept.
"""

from hybrid_bridge.core.exports.cose_receipt import sign_root
from hybrid_bridge.errors import NotYet, Unknown
from hybrid_bridge.node.view import View
from hybrid_bridge.units import TreeSize


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
