"""A record of ours made presentable: our identity key's word over the digests of all its fields (SPEC §14)."""

from hybrid_bridge.core.delivery import DeliveryPlaintext
from hybrid_bridge.core.disclosure import ORIGIN, parse_disclosure
from hybrid_bridge.core.entry import decode_record_entry
from hybrid_bridge.core.exports.sd_jwt import issue
from hybrid_bridge.core.keys import key_id_text
from hybrid_bridge.node.documents import open_tree
from hybrid_bridge.node.view import View
from hybrid_bridge.units import EpochNumber


def is_ours(view: View, plaintext: DeliveryPlaintext) -> bool:
    """Whether this member submitted the record: a JWT of anybody else's key would not be its submitter's word."""
    named = {shown.name: shown.value for shown in (parse_disclosure(part.value) for part in plaintext.disclosures)}
    return named.get(ORIGIN) == key_id_text(view.keys.identity.public.key_id)


def issuer_jwt(view: View, plaintext: DeliveryPlaintext, epoch: EpochNumber) -> str:
    """The JWT of a record that stands in `epoch` and that we submitted.

    Raises:
        Malformed, Refuted: the document is not that of its entry.
        NotYet: our own ledger is not proven.
    """
    view.brake.require_free()
    tree, key = open_tree(plaintext), view.keys.identity
    certificate = view.directory.member(view.name).certificate
    entry = decode_record_entry(plaintext.entry)
    return issue(tree, entry, view.directory.log_id, epoch, key, certificate).text()
