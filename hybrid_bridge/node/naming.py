"""What a member is called, and by which key it speaks: one firm, one name, one identity key. Source: ADR 53.

A member's name is how documents, peers and people find it. Given to another firm it would open to that firm what was
meant for the first, so it is nobody else's for ever. The same firm may come back.
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from hybrid_bridge.business.membership import EVER, STRANGER, standing_of
from hybrid_bridge.core.governance import REMOVE, MemberUpdate
from hybrid_bridge.core.independence import legal_mark
from hybrid_bridge.core.ledger_state import StateReader
from hybrid_bridge.errors import AdmissionRejected
from hybrid_bridge.node.directory import Directory, Member
from hybrid_bridge.node.proposals import Proposal
from hybrid_bridge.units import KeyId

_UNSEEN: Final = ("Cf", "Cc")  # characters that nobody sees: directions, zero width, controls


def require_own_names(directory: Directory, member: Member, coming: Iterable[Member] = ()) -> None:
    """Return if nobody else is, was or may soon be called so, and no other member has its legal id or legal name.

    Args:
        directory: of today.
        member: of a card that somebody brings.
        coming: those on the cards of decisions that we have consented to and that may still come to stand. The ledger
            knows nothing of what a member is called: of two decisions that give one name to two firms both would stand.

    Raises:
        AdmissionRejected: somebody is.
    """
    for other in directory.known:
        is_same = _is_same_id(other, member)
        if other.name == member.name and not is_same:
            raise AdmissionRejected(rule="a name that no other member has or had")
        if other.name != member.name and (is_same or _is_same_name(other, member)) and directory.lets_in(other.name):
            raise AdmissionRejected(rule="a legal id and a legal name that no other member has")
    for other in coming:
        is_same, is_called = _is_same_id(other, member), other.name == member.name
        if is_called != is_same or (not is_called and _is_same_name(other, member)):
            raise AdmissionRejected(rule="a name, legal id and legal name of nobody whose card we consented to")


def require_own_key(directory: Directory, member: Member, key_id: KeyId) -> None:
    """Return if this identity key has spoken for no other firm: what it said stays that firm's word.

    Raises:
        AdmissionRejected: it has.
    """
    owner = directory.name_of(key_id)
    if owner not in (None, member.name) and not _is_same_id(directory.member(owner), member):
        raise AdmissionRejected(rule="an identity key that no other member has or had")


def require_one_key(directory: Directory, name: str, record: MemberUpdate, proposal: Proposal) -> None:
    """Return if the member called so gets its first identity key, or its first one goes by the same proposal.

    Raises:
        AdmissionRejected: it would have two.
    """
    present = directory.identities[name].key_id if directory.lets_in(name) else record.key_id
    removed = [one for one in proposal.decoded() if isinstance(one, MemberUpdate) and one.action == REMOVE]
    in_time = any(one.key_id == present and one.from_epoch <= record.from_epoch for one in removed)
    if present != record.key_id and not in_time:
        raise AdmissionRejected(rule="one identity key a member: the first is removed as the other is added")


def require_none_left(directory: Directory, name: str, proposal: Proposal, state: StateReader) -> None:
    """Return if whoever goes or is suspended is a member by no identity key on which the proposal is silent.

    Raises:
        AdmissionRejected: by one that a rotation brought, and which comes or is there.
    """
    told = {one.key_id for one in proposal.decoded() if isinstance(one, MemberUpdate)}
    for key in directory.key_ids(name):
        if key not in told and standing_of(state, key, EVER) != STRANGER:
            raise AdmissionRejected(rule=f"every identity key of {name}: {key.hex()[:16]} stays a member's")


def _is_same_id(one: Member, other: Member) -> bool:
    """Neither spelling nor separators tell two legal ids apart."""
    mark = legal_mark(one.legal_id)
    return _folded(one.legal_id) == _folded(other.legal_id) or (mark != "" and mark == legal_mark(other.legal_id))


def _is_same_name(one: Member, other: Member) -> bool:
    return _folded(one.legal_name) == _folded(other.legal_name)


def _folded(text: str) -> str:
    """As people compare names: neither case, width, spaces nor what nobody sees tell two apart."""
    wide = " ".join(unicodedata.normalize("NFKC", text).split())
    shown = "".join(letter for letter in wide if unicodedata.category(letter) not in _UNSEEN)
    return unicodedata.normalize("NFKC", shown.casefold())
