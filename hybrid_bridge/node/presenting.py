"""A record of ours made presentable: our identity key's word over the digests of all its fields (SPEC §14)."""

from hybrid_bridge.core.delivery import DeliveryPlaintext
from hybrid_bridge.core.disclosure import ORIGIN
from hybrid_bridge.core.entry import decode_record_entry
from hybrid_bridge.core.exports.sd_jwt import issue
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.errors import Missing
from hybrid_bridge.node.documents import open_tree
from hybrid_bridge.node.view import View
from hybrid_bridge.units import EpochNumber


def issuer_jwt(view: View, plaintext: DeliveryPlaintext, epoch: EpochNumber) -> str:
    """The JWT of a record that stands in `epoch` and that we submitted.

    Raises:
        Missing: somebody else submitted it.
        Malformed, Refuted: the document is not that of its entry.
    """
    tree, key = open_tree(plaintext), view.keys.identity
    origin = next(claim.value for claim in tree.claims if claim.name == ORIGIN)
    if origin != key_id_text(key.public.key_id):
        raise Missing(what="the submitter's key: ask the member that submitted this record")
    certificate = view.directory.member(view.name).certificate
    entry = decode_record_entry(plaintext.entry)
    return issue(tree, entry, view.directory.log_id, epoch, key, certificate).text()
